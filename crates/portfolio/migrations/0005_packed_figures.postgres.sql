-- A portfolio's row of analytics is bytes that the program packs and reads (a third of its text); its `payload` is `{}`. Rows
-- that have none are text still. The entries of a portfolio in `cache_entries` are made of its row when they are read: their
-- `value` is empty.

ALTER TABLE analytics ADD COLUMN packed BYTEA;
