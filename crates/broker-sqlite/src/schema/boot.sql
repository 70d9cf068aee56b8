-- The machine was restarted since the file was used last.
DELETE FROM boot;
DELETE FROM listeners;
DELETE FROM feed;
UPDATE workers SET renewed = -9000000000000;
UPDATE leases SET until = -9000000000000;
UPDATE chords SET claim_until = -9000000000000 WHERE claim_until IS NOT NULL;
UPDATE bindings SET until = -9000000000000 WHERE until IS NOT NULL;
