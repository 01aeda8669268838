-- Figures of each minute, once it is over: a row comes when the watermark has passed its minute, and never changes.
CREATE MATERIALIZED VIEW minute_figures AS
  SELECT window_start AS minute, device, count(*) AS readings, max(celsius) AS highest,
         percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY celsius) AS half_and_most
  FROM TUMBLE(reading, at, INTERVAL '1 minute') GROUP BY window_start, device
  EMIT ON WINDOW CLOSE;

-- When a device was heard without a break of more than ten seconds.
CREATE MATERIALIZED VIEW online AS
  SELECT device, window_start AS since, window_end - INTERVAL '10 seconds' AS until, count(*) AS readings
  FROM SESSION(reading, at, INTERVAL '10 seconds', device) GROUP BY device, window_start, window_end;

-- Each break, when it was over.
CREATE MATERIALIZED VIEW gap AS
  SELECT device, before AS since, at AS until FROM (
    SELECT device, at, lag(at) OVER (PARTITION BY device ORDER BY at) AS before FROM reading) r
  WHERE at > before + INTERVAL '10 seconds';

-- And those that last: devices of which nothing has been heard for ten seconds by the clock.
CREATE MATERIALIZED VIEW silent AS
  SELECT device, last FROM (SELECT device, max(at) AS last FROM reading GROUP BY device) d WHERE last < now() - INTERVAL '10 seconds';

-- A threshold with hysteresis: an alarm begins at 80 degrees and ends at 70. Readings between say nothing; of the others the last one counts.
CREATE VIEW decisive AS
  SELECT device, at, celsius, celsius >= 80 AS hot FROM reading WHERE celsius >= 80 OR celsius <= 70;
CREATE MATERIALIZED VIEW alarm AS
  SELECT device, at, celsius FROM (SELECT DISTINCT ON (device) * FROM decisive ORDER BY device, at DESC) d WHERE hot;

-- Its history: where an alarm began, and where it ended.
CREATE MATERIALIZED VIEW alarm_change AS
  SELECT device, at, celsius, hot FROM (
    SELECT *, lag(hot) OVER (PARTITION BY device ORDER BY at) AS was FROM decisive) d
  WHERE hot IS DISTINCT FROM coalesce(was, false);
