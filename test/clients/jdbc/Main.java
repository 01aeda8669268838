import java.math.BigDecimal;
import java.sql.Array;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ParameterMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.io.StringReader;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import java.util.UUID;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/** pgjdbc against a running server: java -cp postgresql.jar Main.java PORT. Ends with an exception at the first difference. */
public class Main {
  static void same(Object got, Object wanted, String what) {
    if (!Objects.deepEquals(got, wanted)) {
      throw new AssertionError(what + ": got " + Arrays.deepToString(new Object[] {got}) + ", wanted "
          + Arrays.deepToString(new Object[] {wanted}));
    }
  }

  static List<String> strings(ResultSet rows, String... columns) throws SQLException {
    List<String> out = new ArrayList<>();
    while (rows.next()) {
      StringBuilder line = new StringBuilder();
      for (String column : columns) line.append(line.length() == 0 ? "" : "|").append(rows.getString(column));
      out.add(line.toString());
    }
    rows.close();
    return out;
  }

  public static void main(String[] args) throws Exception {
    String url = "jdbc:postgresql://127.0.0.1:" + args[0] + "/db";
    for (String mode : new String[] {"extended", "simple", "extendedForPrepared"}) {
      Properties properties = new Properties();
      properties.setProperty("user", "tester");
      properties.setProperty("preferQueryMode", mode);
      properties.setProperty("loginTimeout", "20");
      properties.setProperty("socketTimeout", "60");
      try (Connection connection = DriverManager.getConnection(url, properties)) {
        String prefix = mode.toLowerCase();
        schema(connection, prefix);
        metadata(connection, prefix);
        prepared(connection, prefix);
        types(connection, prefix);
        transactions(connection, prefix);
        if (mode.equals("extended")) {
          timeout(connection);
          fetchSize(connection, prefix);
          copy(connection, prefix);
        }
      }
      System.out.println(mode + " ok");
    }
  }

  static void schema(Connection connection, String prefix) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("create table " + prefix
          + "_orders (id int not null, line int not null, name varchar(20), amount numeric(12,2) default 0, at timestamptz,"
          + " primary key (id, line))");
      statement.execute("create index " + prefix + "_by_name on " + prefix + "_orders (name)");
      statement.execute("create materialized view " + prefix + "_totals as select name, sum(amount) as total, count(*) as n from "
          + prefix + "_orders group by name");
      statement.execute("create view " + prefix + "_plain as select id, name from " + prefix + "_orders");
    }
  }

  static void metadata(Connection connection, String prefix) throws SQLException {
    DatabaseMetaData meta = connection.getMetaData();
    same(meta.getDatabaseProductName(), "PostgreSQL", "product");
    same(strings(meta.getTables(null, "public", prefix + "%", null), "TABLE_NAME", "TABLE_TYPE"),
        List.of(prefix + "_by_name|INDEX", prefix + "_orders_pkey|INDEX", prefix + "_totals|MATERIALIZED VIEW",
            prefix + "_orders|TABLE", prefix + "_plain|VIEW"),
        "getTables");
    same(strings(meta.getTables(null, null, prefix + "_orders", new String[] {"TABLE"}), "TABLE_SCHEM", "TABLE_NAME"),
        List.of("public|" + prefix + "_orders"), "getTables of a type");
    same(strings(meta.getColumns(null, "public", prefix + "_orders", "%"), "COLUMN_NAME", "DATA_TYPE", "TYPE_NAME", "COLUMN_SIZE",
            "DECIMAL_DIGITS", "IS_NULLABLE", "ORDINAL_POSITION"),
        List.of("id|" + Types.INTEGER + "|int4|10|0|NO|1", "line|" + Types.INTEGER + "|int4|10|0|NO|2",
            "name|" + Types.VARCHAR + "|varchar|20|0|YES|3", "amount|" + Types.NUMERIC + "|numeric|12|2|YES|4",
            "at|" + Types.TIMESTAMP + "|timestamptz|35|6|YES|5"),
        "getColumns");
    same(strings(meta.getColumns(null, null, prefix + "_totals", null), "COLUMN_NAME", "TYPE_NAME"),
        List.of("name|varchar", "total|numeric", "n|int8"), "getColumns of a view");
    same(strings(meta.getPrimaryKeys(null, "public", prefix + "_orders"), "COLUMN_NAME", "KEY_SEQ", "PK_NAME"),
        List.of("id|1|" + prefix + "_orders_pkey", "line|2|" + prefix + "_orders_pkey"), "getPrimaryKeys");
    same(strings(meta.getIndexInfo(null, "public", prefix + "_orders", false, false), "INDEX_NAME", "COLUMN_NAME", "NON_UNIQUE"),
        List.of(prefix + "_orders_pkey|id|f", prefix + "_orders_pkey|line|f", prefix + "_by_name|name|t"), "getIndexInfo");
    same(strings(meta.getSchemas(), "TABLE_SCHEM").contains("public"), true, "getSchemas");
    same(strings(meta.getCatalogs(), "TABLE_CAT"), List.of("db"), "getCatalogs");
    same(strings(meta.getTableTypes(), "TABLE_TYPE").contains("MATERIALIZED VIEW"), true, "getTableTypes");
    same(strings(meta.getTypeInfo(), "TYPE_NAME").contains("int4"), true, "getTypeInfo");
    same(strings(meta.getImportedKeys(null, null, prefix + "_orders"), "PKTABLE_NAME"), List.of(), "getImportedKeys");
    same(strings(meta.getFunctions(null, null, "tidemark_tick"), "FUNCTION_NAME"), List.of("tidemark_tick"), "getFunctions");
    meta.getProcedures(null, null, "%").close();
    meta.getBestRowIdentifier(null, null, prefix + "_orders", 0, false).close();
    meta.getTablePrivileges(null, null, prefix + "_orders").close();
  }

  static void prepared(Connection connection, String prefix) throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement("insert into " + prefix + "_orders (id, line, name, amount, at) values (?, ?, ?, ?, ?)")) {
      for (int n = 0; n < 500; n++) {
        insert.setInt(1, n);
        insert.setInt(2, 1);
        insert.setString(3, n % 10 == 9 ? null : "n" + n % 10);
        insert.setBigDecimal(4, new BigDecimal(n).movePointLeft(2));
        insert.setTimestamp(5, Timestamp.from(OffsetDateTime.of(2024, 1, 1, 0, 0, n % 60, 0, ZoneOffset.UTC).toInstant()));
        insert.addBatch();
      }
      int[] counts = insert.executeBatch();
      same(counts.length, 500, "batch");
      for (int count : counts) same(count, 1, "a batch's count");
    }
    // More than five executions make the driver name the statement, and then ask for results in binary.
    try (PreparedStatement select =
        connection.prepareStatement("select id, name, amount, at from " + prefix + "_orders where id = ? and line = ?")) {
      for (int n = 0; n < 12; n++) {
        select.setInt(1, n);
        select.setInt(2, 1);
        try (ResultSet rows = select.executeQuery()) {
          same(rows.next(), true, "a row");
          same(rows.getInt(1), n, "id");
          same(rows.getString(2), n % 10 == 9 ? null : "n" + n % 10, "name");
          same(rows.getBigDecimal(3), new BigDecimal(n).movePointLeft(2), "amount");
          same(rows.getTimestamp(4).toInstant(), OffsetDateTime.of(2024, 1, 1, 0, 0, n, 0, ZoneOffset.UTC).toInstant(), "at");
          same(rows.next(), false, "one row");
        }
      }
      ResultSetMetaData columns = select.getMetaData();
      same(columns.getColumnTypeName(3), "numeric", "a column's type");
      same(columns.getPrecision(3), 12, "its precision");
      same(columns.getTableName(1), prefix + "_orders", "a column's table");
      ParameterMetaData parameters = select.getParameterMetaData();
      same(parameters.getParameterTypeName(1), "int4", "a parameter's type");
    }
    try (PreparedStatement view = connection.prepareStatement("select total, n from " + prefix + "_totals where name = ?");
        PreparedStatement change = connection.prepareStatement("update " + prefix + "_orders set amount = amount + ? where name = ?")) {
      BigDecimal wanted = null;
      for (int n = 0; n < 8; n++) {
        view.setString(1, "n1");
        try (ResultSet rows = view.executeQuery()) {
          rows.next();
          if (wanted != null) same(rows.getBigDecimal(1), wanted, "the view after a change");
          wanted = rows.getBigDecimal(1).add(new BigDecimal("50.00"));
          same(rows.getLong(2), 50L, "n");
        }
        change.setBigDecimal(1, BigDecimal.ONE);
        change.setString(2, "n1");
        same(change.executeUpdate(), 50, "rows changed");
      }
    }
    String insertOne = "insert into " + prefix + "_orders (id, line) values (?, 7)";
    try (PreparedStatement returning = connection.prepareStatement(insertOne, new String[] {"id", "amount"})) {
      returning.setInt(1, 9001);
      returning.executeUpdate();
      same(strings(returning.getGeneratedKeys(), "id", "amount"), List.of("9001|0.00"), "generated keys");
    }
    try (PreparedStatement any = connection.prepareStatement("select count(*) from " + prefix + "_orders where id = any(?)")) {
      any.setArray(1, connection.createArrayOf("int4", new Integer[] {1, 2, 3, 100000}));
      try (ResultSet rows = any.executeQuery()) {
        rows.next();
        same(rows.getInt(1), 3, "= any(array)");
      }
    }
  }

  static void types(Connection connection, String prefix) throws SQLException {
    String table = prefix + "_kinds";
    try (Statement statement = connection.createStatement()) {
      statement.execute("create table " + table + " (b boolean, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric, t text,"
          + " v varchar(10), c char(4), y bytea, d date, tm time, ts timestamp, tz timestamptz, u uuid, j jsonb, a int4[], s text[])");
    }
    OffsetDateTime at = OffsetDateTime.of(2024, 2, 29, 12, 34, 56, 789012000, ZoneOffset.UTC);
    UUID uuid = UUID.fromString("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    try (PreparedStatement insert = connection.prepareStatement(
        "insert into " + table + " values (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?::jsonb,?,?)")) {
      for (int n = 0; n < 7; n++) {
        insert.setBoolean(1, true);
        insert.setShort(2, Short.MIN_VALUE);
        insert.setInt(3, Integer.MAX_VALUE);
        insert.setLong(4, Long.MIN_VALUE);
        insert.setFloat(5, 1.5f);
        insert.setDouble(6, 0.1);
        insert.setBigDecimal(7, new BigDecimal("-12345678901234567890.123456789"));
        insert.setString(8, "it's \\ é 🌊");
        insert.setString(9, "x");
        insert.setString(10, "abcd");
        insert.setBytes(11, new byte[] {0, 1, -1});
        insert.setObject(12, LocalDate.of(2024, 2, 29));
        insert.setObject(13, LocalTime.of(23, 59, 59, 999999000));
        insert.setObject(14, at.toLocalDateTime());
        insert.setObject(15, at);
        insert.setObject(16, uuid);
        insert.setString(17, "{\"a\": [1, null]}");
        insert.setArray(18, connection.createArrayOf("int4", new Integer[] {1, null, 3}));
        insert.setArray(19, connection.createArrayOf("text", new String[] {"x", "y,\"z\"", null}));
        same(insert.executeUpdate(), 1, "insert of every type");
      }
    }
    try (PreparedStatement select = connection.prepareStatement("select * from " + table)) {
      for (int n = 0; n < 8; n++) {
        try (ResultSet rows = select.executeQuery()) {
          int count = 0;
          while (rows.next()) {
            count++;
            same(rows.getBoolean("b"), true, "boolean");
            same(rows.getShort("i2"), Short.MIN_VALUE, "int2");
            same(rows.getInt("i4"), Integer.MAX_VALUE, "int4");
            same(rows.getLong("i8"), Long.MIN_VALUE, "int8");
            same(rows.getFloat("f4"), 1.5f, "float4");
            same(rows.getDouble("f8"), 0.1, "float8");
            same(rows.getBigDecimal("n"), new BigDecimal("-12345678901234567890.123456789"), "numeric");
            same(rows.getString("t"), "it's \\ é 🌊", "text");
            same(rows.getString("v"), "x", "varchar");
            same(rows.getString("c"), "abcd", "char");
            same(rows.getBytes("y"), new byte[] {0, 1, -1}, "bytea");
            same(rows.getObject("d", LocalDate.class), LocalDate.of(2024, 2, 29), "date");
            same(rows.getObject("tm", LocalTime.class), LocalTime.of(23, 59, 59, 999999000), "time");
            same(rows.getObject("ts", LocalDateTime.class), at.toLocalDateTime(), "timestamp");
            same(rows.getObject("tz", OffsetDateTime.class).toInstant(), at.toInstant(), "timestamptz");
            same(rows.getObject("u"), uuid, "uuid");
            same(rows.getString("j"), "{\"a\": [1, null]}", "jsonb");
            same(rows.getArray("a").getArray(), new Integer[] {1, null, 3}, "int4[]");
            Array texts = rows.getArray("s");
            same(texts.getArray(), new String[] {"x", "y,\"z\"", null}, "text[]");
          }
          same(count, 7, "rows of every type");
        }
      }
    }
    try (PreparedStatement nulls = connection.prepareStatement("select ?::int, ?::timestamptz, ?::text")) {
      nulls.setNull(1, Types.INTEGER);
      nulls.setNull(2, Types.TIMESTAMP_WITH_TIMEZONE);
      nulls.setNull(3, Types.VARCHAR);
      try (ResultSet rows = nulls.executeQuery()) {
        rows.next();
        for (int i = 1; i <= 3; i++) same(rows.getObject(i), null, "null");
      }
    }
  }

  static void transactions(Connection connection, String prefix) throws SQLException {
    connection.setAutoCommit(false);
    connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate("insert into " + prefix + "_orders (id, line, name) values (7000, 1, 'tx')");
      Savepoint savepoint = connection.setSavepoint();
      try {
        statement.executeUpdate("insert into " + prefix + "_orders (id, line) values (7000, 1)");
        throw new AssertionError("no duplicate key");
      } catch (SQLException error) {
        same(error.getSQLState(), "23505", "SQLSTATE");
      }
      connection.rollback(savepoint);
      connection.commit();
      statement.executeUpdate("delete from " + prefix + "_orders");
      connection.rollback();
      ResultSet rows = statement.executeQuery("select count(*) as n from " + prefix + "_orders where name = 'tx'");
      same(strings(rows, "n"), List.of("1"), "after commit and rollback");
      connection.commit();
    }
    connection.setAutoCommit(true);
    connection.setReadOnly(true);
    try (Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.executeUpdate("delete from " + prefix + "_orders");
      throw new AssertionError("a read-only transaction wrote");
    } catch (SQLException error) {
      same(error.getSQLState(), "25006", "SQLSTATE");
    }
    connection.rollback();
    connection.setAutoCommit(true);
    connection.setReadOnly(false);
    same(connection.isValid(5), true, "isValid");
  }

  static void timeout(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.setQueryTimeout(1);
      statement.executeQuery("subscribe extended_totals with (snapshot = false)");
      throw new AssertionError("the subscription ended");
    } catch (SQLException error) {
      same(error.getSQLState(), "57014", "SQLSTATE of a timeout");
    }
    try (Statement statement = connection.createStatement()) {
      same(strings(statement.executeQuery("select 1 as one"), "one"), List.of("1"), "after a timeout");
    }
  }

  static void fetchSize(Connection connection, String prefix) throws SQLException {
    connection.setAutoCommit(false);
    try (PreparedStatement select = connection.prepareStatement("select id from " + prefix + "_orders where line = ? order by id")) {
      select.setFetchSize(33);
      for (int n = 0; n < 7; n++) {
        select.setInt(1, 1);
        try (ResultSet rows = select.executeQuery()) {
          int id = 0;
          while (rows.next()) {
            if (id < 500) same(rows.getInt(1), id, "rows in portions");
            id++;
          }
          same(id, 501, "all rows in portions");
        }
      }
    }
    try (Statement follower = connection.createStatement()) {
      follower.execute("declare c cursor for subscribe " + prefix + "_totals");
      try (ResultSet rows = follower.executeQuery("fetch all c")) {
        int count = 0;
        while (rows.next()) {
          same(rows.getLong("diff"), 1L, "diff of a snapshot");
          count++;
        }
        same(count, 11, "the snapshot");
      }
    }
    connection.commit();
    connection.setAutoCommit(true);
  }

  static void copy(Connection connection, String prefix) throws Exception {
    try (Statement statement = connection.createStatement()) {
      statement.execute("create table copied (a int, b text)");
    }
    CopyManager manager = connection.unwrap(PGConnection.class).getCopyAPI();
    same(manager.copyIn("copy copied from stdin", new StringReader("1\tone\n2\t\\N\n")), 2L, "copyIn");
    StringWriter out = new StringWriter();
    manager.copyOut("copy (select * from copied order by a) to stdout with csv header", out);
    same(out.toString(), "a,b\n1,one\n2,\n", "copyOut");
  }
}
