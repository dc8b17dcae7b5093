-- Files of exports do not stay for ever; what an account made is seen by whoever holds all of that
-- account's division, not by whoever holds a part.

ALTER TABLE canbao.export
  ADD expires_at timestamptz,                       -- of the file; NULL until there is one
  ADD removed    boolean NOT NULL DEFAULT false;    -- the file is gone, this line stays
UPDATE canbao.export SET expires_at = made_at + interval '30 days' WHERE rows IS NOT NULL;
CREATE INDEX export_file ON canbao.export (expires_at) WHERE NOT removed;

-- canbao.place() of whoever holds a province has the division 0, for persons whom sources place
-- nowhere. The 0 of an account is the country.
CREATE FUNCTION canbao.holds(division bigint, place int8multirange) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN canbao.divisions_within(division) <@ place;

ALTER POLICY place ON canbao.job USING (
  kind <> 'export' AND (SELECT canbao.permitted('deliveries.write'))
  AND canbao.holds(division, (SELECT canbao.place())));
ALTER POLICY exports ON canbao.job USING (
  kind = 'export' AND (SELECT canbao.permitted('exports.audit'))
  AND canbao.holds(division, (SELECT canbao.place())));
ALTER POLICY make ON canbao.job WITH CHECK (
  account_id = (SELECT canbao.account_id()) AND state = 'queued' AND pid IS NULL
  AND result_path IS NULL AND canbao.holds(division, (SELECT canbao.place()))
  AND CASE
    WHEN kind = 'export' THEN (SELECT canbao.permitted('exports.write'))
    WHEN kind IN ('comparison', 'undo') THEN (SELECT canbao.permitted('comparisons.write'))
    ELSE (SELECT canbao.permitted('deliveries.write')) END);
ALTER POLICY auditor ON canbao.export USING (
  (SELECT canbao.permitted('exports.audit')) AND canbao.holds(division, (SELECT canbao.place())));
ALTER POLICY place ON canbao.delivery USING (
  (SELECT canbao.permitted('deliveries.read')) AND canbao.holds(division, (SELECT canbao.place())));
ALTER POLICY make ON canbao.delivery WITH CHECK (
  account_id = (SELECT canbao.account_id()) AND state = 'new'
  AND (SELECT canbao.permitted('deliveries.write'))
  AND canbao.holds(division, (SELECT canbao.place())));
ALTER POLICY change ON canbao.delivery USING (
  (SELECT canbao.permitted('deliveries.write')) AND canbao.holds(division, (SELECT canbao.place())));
