-- Read models of the event log. Another one can be made at any time: it is filled from the log's beginning.

-- The log as an accountant reads it: what an event does to the balance.
CREATE VIEW entry AS
  SELECT id, account, at, body ->> 'owner' AS owner,
         CASE kind WHEN 'deposited' THEN (body ->> 'amount')::numeric(12,2)
                   WHEN 'withdrawn' THEN -(body ->> 'amount')::numeric(12,2) END AS amount
  FROM account_event;

-- Its changes of a day are kept, so any moment of that day can be asked for.
CREATE MATERIALIZED VIEW balance WITH (retention = '1 day') AS
  SELECT account, max(owner) AS owner, coalesce(sum(amount), 0) AS balance, count(amount) AS movements
  FROM entry GROUP BY account;

-- What a customer sees: each movement with the balance after it.
CREATE MATERIALIZED VIEW account_statement AS
  SELECT account, id, at, amount, sum(amount) OVER (PARTITION BY account ORDER BY id) AS balance
  FROM entry WHERE amount IS NOT NULL;
CREATE INDEX ON account_statement (account, id);

-- A read model of a read model, and what an application follows of it (follow.mjs). The server keeps how far that is.
CREATE MATERIALIZED VIEW overdrawn AS SELECT account, owner, balance FROM balance WHERE balance < -500;
CREATE SUBSCRIPTION overdrawn_changes FOR overdrawn WITH (retention = '1 day', progress = true);
