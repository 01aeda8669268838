-- Clicks and visitors of each page and minute; hours are made of minutes. Visitors cannot be added up, so an hour counts them anew.
CREATE MATERIALIZED VIEW page_minute AS
  SELECT window_start AS minute, page, count(*) AS clicks, count(DISTINCT visitor) AS visitors
  FROM TUMBLE(click, at, INTERVAL '1 minute') GROUP BY window_start, page;
CREATE INDEX ON page_minute (minute);

CREATE MATERIALIZED VIEW page_hour AS
  SELECT m.hour, m.page, m.clicks, v.visitors
  FROM (SELECT date_trunc('hour', minute) AS hour, page, sum(clicks) AS clicks FROM page_minute GROUP BY 1, 2) m
  JOIN (SELECT date_trunc('hour', at) AS hour, page, count(DISTINCT visitor) AS visitors FROM click GROUP BY 1, 2) v
    ON v.hour = m.hour AND v.page = m.page;

-- A visit ends when nothing has been clicked for ten seconds (half an hour, in life).
CREATE MATERIALIZED VIEW visit AS
  SELECT visitor, window_start AS since, window_end - INTERVAL '10 seconds' AS until, count(*) AS clicks,
         min(at) FILTER (WHERE page = '/product') AS product_at,
         max(at) FILTER (WHERE page = '/cart') AS cart_at,
         max(at) FILTER (WHERE page = '/paid') AS paid_at
  FROM SESSION(click, at, INTERVAL '10 seconds', visitor) GROUP BY visitor, window_start, window_end;

-- The funnel, by the minute in which visits ended: a step counts after the one before it.
CREATE MATERIALIZED VIEW funnel AS
  SELECT date_trunc('minute', until) AS minute, count(*) AS visits, count(product_at) AS looked,
         count(*) FILTER (WHERE cart_at >= product_at) AS filled_a_cart,
         count(*) FILTER (WHERE paid_at >= cart_at AND cart_at >= product_at) AS paid
  FROM visit GROUP BY date_trunc('minute', until);
