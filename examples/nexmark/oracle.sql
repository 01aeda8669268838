-- Nexmark q0-q22 in plain PostgreSQL 15: the tie-breakers are those of views.sql (q6, q9, q18, q19)
-- and q4's column named. One section a view; hop_bid and side_input are helpers.

-- q0
CREATE VIEW q0 AS SELECT auction,bidder,price,date_time,extra FROM bid;

-- q1
CREATE VIEW q1 AS SELECT auction,bidder,0.908*price AS price,date_time,extra FROM bid;

-- q2
CREATE VIEW q2 AS SELECT auction,price FROM bid WHERE MOD(auction,123)=0;

-- q3
CREATE VIEW q3 AS SELECT p.name,p.city,p.state,a.id FROM auction a JOIN person p ON a.seller=p.id WHERE a.category=10 AND p.state IN ('OR','ID','CA');

-- q4
CREATE VIEW q4 AS SELECT q.category, AVG(q.final) AS avg FROM (SELECT MAX(b.price) AS final,a.category FROM auction a,bid b WHERE a.id=b.auction AND b.date_time BETWEEN a.date_time AND a.expires GROUP BY a.id,a.category) q GROUP BY q.category;

-- hop_bid
CREATE VIEW hop_bid AS SELECT b.*, w AS window_start, w+interval '10 s' AS window_end FROM bid b, LATERAL generate_series(date_bin('2 s',b.date_time,'1970-01-01')-interval '8 s', date_bin('2 s',b.date_time,'1970-01-01'), interval '2 s') w;

-- q5
CREATE VIEW q5 AS WITH c AS (SELECT auction,count(*) num,window_start FROM hop_bid GROUP BY auction,window_start) SELECT c.auction,c.num FROM c JOIN (SELECT max(num) maxn,window_start FROM c GROUP BY window_start) m USING (window_start) WHERE c.num>=m.maxn;

-- q6
CREATE VIEW q6 AS SELECT q.seller, AVG(q.price) OVER (PARTITION BY q.seller ORDER BY q.date_time, q.id ROWS BETWEEN 10 PRECEDING AND CURRENT ROW) AS avg_price FROM (SELECT *,ROW_NUMBER() OVER (PARTITION BY id,seller ORDER BY price DESC,date_time,bidder,extra) rn FROM (SELECT a.id,a.seller,b.price,b.date_time,b.bidder,b.extra FROM auction a,bid b WHERE a.id=b.auction AND b.date_time BETWEEN a.date_time AND a.expires) x) q WHERE rn<=1;

-- q7
CREATE VIEW q7 AS SELECT b.auction,b.price,b.bidder,b.date_time,b.extra FROM bid b JOIN (SELECT max(price) maxprice, date_bin('10 s',date_time,'1970-01-01')+interval '10 s' AS date_time FROM bid GROUP BY 2) b1 ON b.price=b1.maxprice WHERE b.date_time BETWEEN b1.date_time-interval '10 s' AND b1.date_time;

-- q8
CREATE VIEW q8 AS SELECT p.id,p.name,p.starttime FROM (SELECT id,name,date_bin('10 s',date_time,'1970-01-01') starttime FROM person GROUP BY 1,2,3) p JOIN (SELECT seller,date_bin('10 s',date_time,'1970-01-01') starttime FROM auction GROUP BY 1,2) a ON p.id=a.seller AND p.starttime=a.starttime;

-- q9
CREATE VIEW q9 AS SELECT * FROM (SELECT a.*,b.auction,b.bidder,b.price,b.date_time AS bid_date_time,b.extra AS bid_extra,ROW_NUMBER() OVER (PARTITION BY a.id ORDER BY b.price DESC,b.date_time ASC,b.bidder,b.extra) rn FROM auction a,bid b WHERE a.id=b.auction AND b.date_time BETWEEN a.date_time AND a.expires) x WHERE rn<=1;

-- q10
CREATE VIEW q10 AS SELECT auction,bidder,price,date_time,extra,to_char(date_time,'YYYY-MM-DD') dt,to_char(date_time,'HH24:MI') hm FROM bid;

-- q11
CREATE VIEW q11 AS SELECT bidder,count(*) bid_count,min(date_time) starttime,max(date_time)+interval '10 s' endtime FROM (SELECT *,sum(n) OVER (PARTITION BY bidder ORDER BY date_time) s FROM (SELECT *,CASE WHEN date_time-lag(date_time) OVER (PARTITION BY bidder ORDER BY date_time)<=interval '10 s' THEN 0 ELSE 1 END n FROM bid) x) y GROUP BY bidder,s;

-- q12
CREATE VIEW q12 AS SELECT bidder,count(*) bid_count,date_bin('10 s',date_time,'1970-01-01') starttime,date_bin('10 s',date_time,'1970-01-01')+interval '10 s' endtime FROM bid GROUP BY 1,3,4;

-- q13
CREATE VIEW q13 AS SELECT b.auction,b.bidder,b.price,b.date_time,s.value FROM bid b JOIN side_input s ON MOD(b.auction,10000)=s.key;

-- q14
CREATE VIEW q14 AS SELECT auction,bidder,0.908*price AS price,CASE WHEN extract(hour from date_time) BETWEEN 8 AND 18 THEN 'dayTime' WHEN extract(hour from date_time)<=6 OR extract(hour from date_time)>=20 THEN 'nightTime' ELSE 'otherTime' END bid_time_type,date_time,extra,length(extra)-length(replace(extra,'c','')) c_counts FROM bid WHERE 0.908*price>1000000 AND 0.908*price<50000000;

-- q15
CREATE VIEW q15 AS SELECT to_char(date_time,'YYYY-MM-DD') AS day,count(*) total_bids,count(*) filter (where price<10000) rank1_bids,count(*) filter (where price>=10000 and price<1000000) rank2_bids,count(*) filter (where price>=1000000) rank3_bids,count(distinct bidder) total_bidders,count(distinct bidder) filter (where price<10000) rank1_bidders,count(distinct bidder) filter (where price>=10000 and price<1000000) rank2_bidders,count(distinct bidder) filter (where price>=1000000) rank3_bidders,count(distinct auction) total_auctions,count(distinct auction) filter (where price<10000) rank1_auctions,count(distinct auction) filter (where price>=10000 and price<1000000) rank2_auctions,count(distinct auction) filter (where price>=1000000) rank3_auctions FROM bid GROUP BY 1;

-- q16
CREATE VIEW q16 AS SELECT channel,to_char(date_time,'YYYY-MM-DD') AS day,max(to_char(date_time,'HH24:MI')) AS minute,count(*) total_bids,count(*) filter (where price<10000) rank1_bids,count(*) filter (where price>=10000 and price<1000000) rank2_bids,count(*) filter (where price>=1000000) rank3_bids,count(distinct bidder) total_bidders,count(distinct bidder) filter (where price<10000) rank1_bidders,count(distinct bidder) filter (where price>=10000 and price<1000000) rank2_bidders,count(distinct bidder) filter (where price>=1000000) rank3_bidders,count(distinct auction) total_auctions,count(distinct auction) filter (where price<10000) rank1_auctions,count(distinct auction) filter (where price>=10000 and price<1000000) rank2_auctions,count(distinct auction) filter (where price>=1000000) rank3_auctions FROM bid GROUP BY 1,2;

-- q17
CREATE VIEW q17 AS SELECT auction,to_char(date_time,'YYYY-MM-DD') AS day,count(*) total_bids,count(*) filter (where price<10000) rank1_bids,count(*) filter (where price>=10000 and price<1000000) rank2_bids,count(*) filter (where price>=1000000) rank3_bids,min(price) min_price,max(price) max_price,avg(price) avg_price,sum(price) sum_price FROM bid GROUP BY 1,2;

-- q18
CREATE VIEW q18 AS SELECT auction,bidder,price,channel,url,date_time,extra FROM (SELECT *,ROW_NUMBER() OVER (PARTITION BY bidder,auction ORDER BY date_time DESC,price DESC,extra) rn FROM bid) x WHERE rn<=1;

-- q19
CREATE VIEW q19 AS SELECT * FROM (SELECT *,ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC,date_time,bidder,extra) rn FROM bid) x WHERE rn<=10;

-- q20
CREATE VIEW q20 AS SELECT b.auction,b.bidder,b.price,b.channel,b.url,b.date_time AS bid_date_time,b.extra AS bid_extra,a.item_name,a.description,a.initial_bid,a.reserve,a.date_time AS auction_date_time,a.expires,a.seller,a.category,a.extra AS auction_extra FROM bid b JOIN auction a ON b.auction=a.id WHERE a.category=10;

-- q21
CREATE VIEW q21 AS SELECT auction,bidder,price,channel,CASE lower(channel) WHEN 'apple' THEN '0' WHEN 'google' THEN '1' WHEN 'facebook' THEN '2' WHEN 'baidu' THEN '3' ELSE (regexp_match(url,'(&|^)channel_id=([^&]*)'))[2] END channel_id FROM bid WHERE (regexp_match(url,'(&|^)channel_id=([^&]*)'))[2] IS NOT NULL OR lower(channel) IN ('apple','google','facebook','baidu');

-- q22
CREATE VIEW q22 AS SELECT auction,bidder,price,channel,split_part(url,'/',4) dir1,split_part(url,'/',5) dir2,split_part(url,'/',6) dir3 FROM bid;
