-- A small social network, made up: five posts a second by fifty authors, and readers who follow and leave them.
CREATE STREAM beat (n bigint, at timestamptz) WITH (connector = 'counter', rows_per_second = '20');

-- Always the same for the same n: a number from 0 to sides - 1, another one for each use.
CREATE FUNCTION dice(n bigint, use bigint, sides bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
  RETURN abs(hashint8extended(n, use) % sides);

CREATE VIEW post AS
  SELECT n AS id, dice(n, 1, 50) AS author, 'post ' || n || ' #' || (ARRAY['cats', 'news', 'sql', 'tea'])[1 + dice(n, 2, 4)] AS body, at
  FROM beat WHERE n % 4 = 0;

-- What a keyed topic is, said in SQL: the last word of a reader about an author counts.
CREATE VIEW follows AS
  SELECT reader, author FROM (
    SELECT DISTINCT ON (reader, author) reader, author, follow
    FROM (SELECT n, dice(n, 3, 100) AS reader, dice(n, 4, 50) AS author, dice(n, 5, 4) > 0 AS follow FROM beat WHERE n % 4 > 0) f
    ORDER BY reader, author, n DESC) f
  WHERE follow;
