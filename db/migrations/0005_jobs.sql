-- Long work and what it is about: jobs, uploads, deliveries, exports. The files lie in the data folder
-- (DATA/jobs, DATA/uploads, DATA/deliveries-in).
--
-- Who sees what (canbao_app): one's own always. A job, delivery or export of somebody else only where
-- the division of that account lies within the caller's and the caller is somebody who handles them;
-- never what comes from a foreign division. Rows say the division of the account that made them at
-- that time. The runner of jobs (service/jobs) is the owner.

-- RFC 3339, UTC, seconds: as the service says a time.
CREATE FUNCTION canbao.moment(at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');

CREATE TABLE canbao.delivery (
  delivery_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  state       text NOT NULL DEFAULT 'new' CHECK (state IN (
                'new', 'profiling', 'refused_by_check', 'profiled', 'checked', 'accepted', 'refused',
                'loaded', 'undone')),
  folder      text NOT NULL,              -- with the manifest, absolute
  province    integer,
  cutoff      date,
  created_at  timestamptz NOT NULL DEFAULT now(),
  account_id  bigint NOT NULL REFERENCES canbao.account,
  account     text NOT NULL,
  division    bigint NOT NULL,            -- of the account
  note        text,                       -- of the decision
  job_id      bigint,                     -- the last one about it
  run         text,                       -- name of the run it was loaded by
  problem     jsonb                       -- why it was refused by the machine
);
COMMENT ON TABLE canbao.delivery IS 'Files handed in together, on their way into the register';

CREATE TABLE canbao.delivery_file (
  delivery_id bigint NOT NULL REFERENCES canbao.delivery ON DELETE CASCADE,
  ordinal     integer NOT NULL,           -- in the manifest, from 0
  file        text NOT NULL,
  kind        text NOT NULL,
  source      text NOT NULL,
  stage       text NOT NULL,
  region      integer,
  size        bigint NOT NULL,
  rows        bigint,                     -- NULL until it was read
  rejected    bigint,
  profiled    boolean NOT NULL DEFAULT false,
  PRIMARY KEY (delivery_id, ordinal)
);

CREATE TABLE canbao.delivery_event (
  event_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  delivery_id bigint NOT NULL REFERENCES canbao.delivery ON DELETE CASCADE,
  at          timestamptz NOT NULL DEFAULT now(),
  account     text NOT NULL,
  what        text NOT NULL,
  note        text NOT NULL DEFAULT ''
);
CREATE INDEX delivery_event_delivery ON canbao.delivery_event (delivery_id, event_id);

CREATE TABLE canbao.upload (
  upload_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name       text NOT NULL CHECK (name <> '' AND name !~ '[/\\[:cntrl:]]' AND name !~ '^\.'),
  size       bigint NOT NULL CHECK (size >= 0),
  received   bigint NOT NULL DEFAULT 0 CHECK (received BETWEEN 0 AND size),
  sha256     text,                        -- as stated, else as found at its end
  state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'complete', 'damaged', 'used')),
  account_id bigint NOT NULL REFERENCES canbao.account,
  created_at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE canbao.upload IS 'A file that arrives in parts; DATA/uploads/<id>';

CREATE TABLE canbao.job (
  job_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind        text NOT NULL CHECK (kind IN ('profile', 'dry_run', 'comparison', 'export', 'undo')),
  state       text NOT NULL DEFAULT 'queued' CHECK (state IN (
                'queued', 'running', 'cancelling', 'cancelled', 'interrupted', 'failed', 'done')),
  argument    jsonb NOT NULL,             -- what its command is made of, again when it is resumed
  phase_zh    text NOT NULL DEFAULT '',
  phase_en    text NOT NULL DEFAULT '',
  done        bigint NOT NULL DEFAULT 0,
  total       bigint NOT NULL DEFAULT 0,
  unit        text NOT NULL DEFAULT 'items',
  rate        double precision,           -- units a second
  delivery_id bigint REFERENCES canbao.delivery,
  run         text,
  result_name text,
  result_path text,
  result_size bigint NOT NULL DEFAULT 0,
  problem     jsonb,
  account_id  bigint NOT NULL REFERENCES canbao.account,
  account     text NOT NULL,
  division    bigint NOT NULL,            -- of the account
  pid         integer,                    -- of the child process while it runs
  created_at  timestamptz NOT NULL DEFAULT now(),
  started_at  timestamptz,
  ended_at    timestamptz
);
CREATE INDEX job_unfinished ON canbao.job (state) WHERE state IN ('queued', 'running', 'cancelling');
COMMENT ON TABLE canbao.job IS 'Long work, one child process of the service at a time';

CREATE TABLE canbao.export (
  export_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id     bigint NOT NULL REFERENCES canbao.job,
  list       text NOT NULL,               -- a list, or form and column
  "column"   text NOT NULL DEFAULT '',
  query      jsonb NOT NULL,
  format     text NOT NULL CHECK (format IN ('csv', 'xlsx')),
  clear      boolean NOT NULL,
  account_id bigint NOT NULL REFERENCES canbao.account,
  account    text NOT NULL,
  division   bigint NOT NULL,
  made_at    timestamptz NOT NULL DEFAULT now(),
  purpose    text NOT NULL,
  rows       bigint,
  watermark  text NOT NULL DEFAULT '',
  downloads  integer NOT NULL DEFAULT 0
);
COMMENT ON TABLE canbao.export IS 'What was taken out of the register, by whom, why';

-- Tells the runner.
CREATE FUNCTION canbao.announce_job() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_notify('canbao_job', NEW.job_id::text);
  RETURN NULL;
END $$;
CREATE TRIGGER announce AFTER INSERT OR UPDATE OF state ON canbao.job
  FOR EACH ROW WHEN (NEW.state IN ('queued', 'cancelling')) EXECUTE FUNCTION canbao.announce_job();

-- What open uploads of anybody still wait for: the room they need on the disk.
CREATE FUNCTION canbao.expected_upload_bytes() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT coalesce(sum(size - received), 0)::bigint FROM canbao.upload WHERE state = 'open';
END;
REVOKE ALL ON FUNCTION canbao.expected_upload_bytes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION canbao.expected_upload_bytes() TO canbao_app;

GRANT SELECT, INSERT ON canbao.job, canbao.export TO canbao_app;
GRANT UPDATE (downloads) ON canbao.export TO canbao_app;
GRANT SELECT, INSERT, UPDATE (name, state, folder, province, cutoff, note, job_id, run, problem)
  ON canbao.delivery TO canbao_app;
GRANT SELECT, INSERT, DELETE ON canbao.delivery_file TO canbao_app;
GRANT SELECT, INSERT ON canbao.delivery_event TO canbao_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON canbao.upload TO canbao_app;

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['job', 'export', 'delivery', 'delivery_file', 'delivery_event',
                           'upload'] LOOP
    EXECUTE format('ALTER TABLE canbao.%I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE canbao.%I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY loader ON canbao.%I TO CURRENT_USER USING (true)', t);
  END LOOP;
END $$;

CREATE POLICY own ON canbao.job FOR SELECT TO canbao_app USING (
  account_id = (SELECT canbao.account_id()));
CREATE POLICY place ON canbao.job FOR SELECT TO canbao_app USING (
  kind <> 'export' AND (SELECT canbao.permitted('deliveries.write'))
  AND division <@ (SELECT canbao.place()));
CREATE POLICY exports ON canbao.job FOR SELECT TO canbao_app USING (
  kind = 'export' AND (SELECT canbao.permitted('exports.audit'))
  AND division <@ (SELECT canbao.place()));
CREATE POLICY make ON canbao.job FOR INSERT TO canbao_app WITH CHECK (
  account_id = (SELECT canbao.account_id()) AND state = 'queued' AND pid IS NULL
  AND result_path IS NULL AND division <@ (SELECT canbao.place())
  AND CASE
    WHEN kind = 'export' THEN (SELECT canbao.permitted('exports.write'))
    WHEN kind IN ('comparison', 'undo') THEN (SELECT canbao.permitted('comparisons.write'))
    ELSE (SELECT canbao.permitted('deliveries.write')) END);

CREATE POLICY own ON canbao.export FOR SELECT TO canbao_app USING (
  account_id = (SELECT canbao.account_id()));
CREATE POLICY auditor ON canbao.export FOR SELECT TO canbao_app USING (
  (SELECT canbao.permitted('exports.audit')) AND division <@ (SELECT canbao.place()));
CREATE POLICY make ON canbao.export FOR INSERT TO canbao_app WITH CHECK (
  account_id = (SELECT canbao.account_id()) AND (SELECT canbao.permitted('exports.write'))
  AND (NOT clear OR (SELECT canbao.permitted('persons.reveal'))));
CREATE POLICY count_download ON canbao.export FOR UPDATE TO canbao_app USING (
  account_id = (SELECT canbao.account_id()));

CREATE POLICY own ON canbao.delivery FOR SELECT TO canbao_app USING (
  account_id = (SELECT canbao.account_id()));
CREATE POLICY place ON canbao.delivery FOR SELECT TO canbao_app USING (
  (SELECT canbao.permitted('deliveries.read')) AND division <@ (SELECT canbao.place()));
CREATE POLICY make ON canbao.delivery FOR INSERT TO canbao_app WITH CHECK (
  account_id = (SELECT canbao.account_id()) AND state = 'new'
  AND (SELECT canbao.permitted('deliveries.write')) AND division <@ (SELECT canbao.place()));
CREATE POLICY change ON canbao.delivery FOR UPDATE TO canbao_app USING (
  (SELECT canbao.permitted('deliveries.write')) AND division <@ (SELECT canbao.place()));

-- Files and history follow the delivery.
CREATE POLICY delivery ON canbao.delivery_file FOR SELECT TO canbao_app USING (
  EXISTS (SELECT FROM canbao.delivery d WHERE d.delivery_id = delivery_file.delivery_id));
CREATE POLICY make ON canbao.delivery_file FOR INSERT TO canbao_app WITH CHECK (
  (SELECT canbao.permitted('deliveries.write'))
  AND EXISTS (SELECT FROM canbao.delivery d WHERE d.delivery_id = delivery_file.delivery_id));
CREATE POLICY remove ON canbao.delivery_file FOR DELETE TO canbao_app USING (
  (SELECT canbao.permitted('deliveries.write'))
  AND EXISTS (SELECT FROM canbao.delivery d WHERE d.delivery_id = delivery_file.delivery_id));
CREATE POLICY delivery ON canbao.delivery_event FOR SELECT TO canbao_app USING (
  EXISTS (SELECT FROM canbao.delivery d WHERE d.delivery_id = delivery_event.delivery_id));
CREATE POLICY make ON canbao.delivery_event FOR INSERT TO canbao_app WITH CHECK (
  (SELECT canbao.permitted('deliveries.write'))
  AND EXISTS (SELECT FROM canbao.delivery d WHERE d.delivery_id = delivery_event.delivery_id));

CREATE POLICY own ON canbao.upload TO canbao_app
  USING (account_id = (SELECT canbao.account_id()))
  WITH CHECK (account_id = (SELECT canbao.account_id())
              AND (SELECT canbao.permitted('deliveries.write')));
