-- Accounts, sessions, roles, audit. Who asks is a session's token in the setting canbao.session; the
-- database looks it up and decides itself what is seen: canbao.scope() for persons, figure_scope()
-- for figures, permitted('…') for everything else, account_id() for what is one's own.
--
-- Two roles of the server, so that a hole in a handler opens no safe:
--   canbao_app     handlers. Reads rows within policies, appends to the audit, never sees a password
--                  hash, a token or a second factor.
--   canbao_access  signing in and recognising sessions, nothing else (service/access).
-- Both change accounts, sessions and audit by the functions below only. These run as the owner with a
-- fixed search_path; what they refuse they say as a word ('ok' when done), not as an error.
--
-- Of a token only its SHA-256 is kept. The audit is append-only: chains of entries, a chain for each
-- writer, hashed by SM3 in register/access/audit.h; signed roots of them lie here and outside, in
-- DATA/audit/roots.log.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'canbao_access') THEN
    CREATE ROLE canbao_access LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT;
  END IF;
  IF EXISTS (SELECT FROM pg_catalog.pg_roles
             WHERE rolname = 'canbao_access' AND (rolsuper OR rolbypassrls)) THEN
    RAISE EXCEPTION 'role canbao_access must be neither superuser nor BYPASSRLS';
  END IF;
END $$;
GRANT USAGE ON SCHEMA canbao TO canbao_access;

-- ---- roles: data/access/roles.toml, written when a newer executable opens the database ----

CREATE TABLE canbao.role_policy (
  one        boolean PRIMARY KEY DEFAULT true CHECK (one),
  digest     text NOT NULL,
  valid_from date NOT NULL,
  loaded_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE canbao.role_policy IS 'Which roles.toml the tables below are';

CREATE TABLE canbao.permission (
  permission text PRIMARY KEY,
  ordinal    integer NOT NULL,
  personal   boolean NOT NULL,               -- shows persons
  zh         text NOT NULL,
  en         text NOT NULL
);
CREATE TABLE canbao.role (
  role          text PRIMARY KEY,
  ordinal       integer NOT NULL,
  administrator boolean NOT NULL,
  zh            text NOT NULL,
  en            text NOT NULL
);
CREATE TABLE canbao.role_permission (
  role       text NOT NULL REFERENCES canbao.role,
  permission text NOT NULL REFERENCES canbao.permission,
  PRIMARY KEY (role, permission)
);
GRANT SELECT ON canbao.permission, canbao.role, canbao.role_permission TO canbao_app;

-- Administrators never see persons, whatever the file says.
CREATE FUNCTION canbao.refuse_personal_administrator() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM canbao.role r, canbao.permission p
             WHERE r.role = NEW.role AND p.permission = NEW.permission AND p.personal
               AND (r.administrator OR r.role LIKE '%\_administrator')) THEN
    RAISE EXCEPTION 'an administrator may not have %', NEW.permission;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER no_personal_administrator BEFORE INSERT OR UPDATE ON canbao.role_permission
  FOR EACH ROW EXECUTE FUNCTION canbao.refuse_personal_administrator();

-- 三员分立: an administrator of one kind is nothing else.
CREATE FUNCTION canbao.roles_compatible(roles text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN cardinality(roles) = 1 OR cardinality(roles) > 1 AND NOT roles &&
  ARRAY['system_administrator', 'security_administrator', 'audit_administrator'];
CREATE FUNCTION canbao.is_administrator(roles text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN roles && ARRAY['system_administrator', 'security_administrator', 'audit_administrator'];

-- ---- accounts and sessions ----

CREATE TABLE canbao.account (
  account_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account           text NOT NULL UNIQUE CHECK (account ~ '^[a-z][a-z0-9._-]{1,63}$'),
  name              text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
  roles             text[] NOT NULL CHECK (canbao.roles_compatible(roles)),
  division          bigint NOT NULL CHECK (division BETWEEN 0 AND 999999999999),  -- 0 = the country
  disabled          boolean NOT NULL DEFAULT false,
  waiting           boolean NOT NULL DEFAULT false,  -- disabled until a security administrator grants
  password_hash     text,                            -- argon2id; NULL = cannot sign in
  must_change       boolean NOT NULL DEFAULT true,   -- the first password
  failures          integer NOT NULL DEFAULT 0,
  lockouts          integer NOT NULL DEFAULT 0,
  locked_until      timestamptz,
  totp              bytea,                           -- sealed secret
  totp_pending      bytea,                           -- sealed, not confirmed yet
  totp_step         bigint NOT NULL DEFAULT 0,       -- last step used: each once
  created_at        timestamptz NOT NULL DEFAULT now(),
  created_by        text NOT NULL DEFAULT '',
  last_signed_in_at timestamptz
);
COMMENT ON TABLE canbao.account IS 'Who may sign in, as what, for which division';

CREATE TABLE canbao.session (
  session_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id   bigint NOT NULL REFERENCES canbao.account ON DELETE CASCADE,
  token_hash   bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),  -- SHA-256
  csrf         text NOT NULL,
  kind         text NOT NULL CHECK (kind IN ('browser', 'job')),
  narrowed     int8multirange,               -- sees no more than this within the account's division
  created_at   timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  idle_until   timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  address      text NOT NULL DEFAULT '',
  agent        text NOT NULL DEFAULT ''
);
CREATE INDEX session_account ON canbao.session (account_id);

-- The 12-digit divisions within a division: 330100000000 is [330100000000, 330200000000).
CREATE FUNCTION canbao.divisions_within(division bigint) RETURNS int8multirange
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN int8multirange(int8range(division, division + CASE
  WHEN division = 0 THEN 1000000000000
  WHEN division % 10000000000 = 0 THEN 10000000000
  WHEN division % 100000000 = 0 THEN 100000000
  WHEN division % 1000000 = 0 THEN 1000000
  WHEN division % 1000 = 0 THEN 1000
  ELSE 1 END));

-- The caller's session and account while both are good for anything; `ready` when nothing has to be
-- done first (a first password changed, an administrator's second factor set up). `place` is what the
-- caller's division covers: who holds the register's own province also holds what its sources place
-- nowhere (division 0). Only the functions below read it.
CREATE VIEW canbao.caller AS
SELECT s.session_id, s.kind, a.account_id, a.account, a.roles, a.division,
  NOT a.must_change AND (a.totp IS NOT NULL OR NOT canbao.is_administrator(a.roles)) AS ready,
  (canbao.divisions_within(a.division)
    + CASE WHEN EXISTS (SELECT FROM canbao.run r WHERE canbao.division(r.province) = a.division)
      THEN '{[0,1)}' ELSE '{}' END::int8multirange)
  * coalesce(s.narrowed, '{(,)}'::int8multirange) AS place
FROM canbao.session s JOIN canbao.account a USING (account_id)
WHERE s.token_hash = sha256(convert_to(nullif(current_setting('canbao.session', true), ''), 'UTF8'))
  AND now() < s.idle_until AND now() < s.expires_at AND NOT a.disabled;

-- In PL/pgSQL, each with one statement: it is planned once a connection, where a function in SQL that
-- cannot be inlined is planned with every query that calls it, half a millisecond each time.
CREATE FUNCTION canbao.account_id() RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT c.account_id FROM canbao.caller c);
END $$;

CREATE FUNCTION canbao.permitted(permission text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT FROM canbao.caller c JOIN canbao.role_permission r ON r.role = ANY (c.roles)
                 WHERE c.ready AND r.permission = permitted.permission);
END $$;

-- What the caller's place covers, whatever it may see there.
CREATE FUNCTION canbao.place() RETURNS int8multirange
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT c.place FROM canbao.caller c);
END $$;

-- Divisions whose persons the caller sees. Called once per query, as (SELECT canbao.scope()).
CREATE OR REPLACE FUNCTION canbao.scope() RETURNS int8multirange
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN coalesce((
    SELECT c.place FROM canbao.caller c
    WHERE c.ready AND EXISTS (
      SELECT FROM canbao.role_permission r JOIN canbao.permission p USING (permission)
      WHERE r.role = ANY (c.roles) AND p.personal)), '{}'::int8multirange);
END $$;

-- Divisions whose figures the caller sees: also a leader, who sees no person.
CREATE FUNCTION canbao.figure_scope() RETURNS int8multirange
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN coalesce((
    SELECT c.place FROM canbao.caller c
    WHERE c.ready AND EXISTS (
      SELECT FROM canbao.role_permission r
      WHERE r.role = ANY (c.roles) AND r.permission = 'figures.read')), '{}'::int8multirange);
END $$;
-- Whether the caller sees a person, as the policy of persons says: it reads as whoever asks. For the
-- policies of what belongs to a person; as a subquery there it would be planned for each bucket with
-- every query.
CREATE FUNCTION canbao.sees_person(key bigint) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  RETURN EXISTS (SELECT FROM canbao.person_row p
                 WHERE p.person_key = key AND p.bucket = (key % 8)::smallint);
END $$;

-- The policies of persons and what belongs to them, with one look at the scope each.
DROP POLICY scope ON canbao.person_row;
CREATE POLICY scope ON canbao.person_row FOR SELECT TO canbao_app USING (
  (SELECT canbao.scope()) @> ANY (ARRAY[hukou, residence, canbao.division(county)]));
DROP POLICY scope ON canbao.enrolment_row;
CREATE POLICY scope ON canbao.enrolment_row FOR SELECT TO canbao_app USING (
  canbao.division(region) <@ (SELECT canbao.scope()) OR canbao.sees_person(person_key));
DROP POLICY scope ON canbao.evidence;
CREATE POLICY scope ON canbao.evidence FOR SELECT TO canbao_app USING (
  canbao.sees_person(person_key));
DROP POLICY scope ON canbao.duplicate_case;
CREATE POLICY scope ON canbao.duplicate_case FOR SELECT TO canbao_app USING (
  canbao.sees_person(person_key));
DROP POLICY scope ON canbao.figure;
CREATE POLICY scope ON canbao.figure FOR SELECT TO canbao_app USING (
  canbao.division(county) <@ (SELECT canbao.figure_scope()));

-- Names of accounts are no secret among those who are signed in; hashes and factors have no grant.
GRANT SELECT (account_id, account, name, roles, division, disabled) ON canbao.account TO canbao_app;
ALTER TABLE canbao.account ENABLE ROW LEVEL SECURITY;
CREATE POLICY signed_in ON canbao.account FOR SELECT TO canbao_app USING (
  (SELECT canbao.account_id()) IS NOT NULL);

-- ---- signing in (canbao_access) ----

-- Counts an attempt before its password is looked at, so that many at once do not slip through: the
-- fifth locks for 15 minutes, then 30, an hour, … until one succeeds. No row: no such account.
CREATE FUNCTION canbao.access_attempt(of_account text)
RETURNS TABLE (account_id bigint, open boolean, password_hash text, totp bytea, roles text[],
               locked_until timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE a canbao.account;
BEGIN
  SELECT * INTO a FROM canbao.account x WHERE x.account = of_account FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  IF a.locked_until > now() THEN
    RETURN QUERY SELECT a.account_id, false, a.password_hash, a.totp, a.roles, a.locked_until;
    RETURN;
  END IF;
  IF a.failures + 1 >= 5 THEN
    UPDATE canbao.account x SET failures = 0, lockouts = a.lockouts + 1,
      locked_until = now() + interval '15 minutes' * (1 << least(a.lockouts, 7))
    WHERE x.account_id = a.account_id RETURNING x.locked_until INTO a.locked_until;
  ELSE
    UPDATE canbao.account x SET failures = a.failures + 1, locked_until = NULL
    WHERE x.account_id = a.account_id;
    a.locked_until := NULL;
  END IF;
  RETURN QUERY SELECT a.account_id, NOT a.disabled AND a.password_hash IS NOT NULL, a.password_hash,
    a.totp, a.roles, a.locked_until;
END $$;

-- The attempt was right after all: forget the failures. A step of the second factor counts once.
CREATE FUNCTION canbao.access_forgive(of_account bigint, step bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE canbao.account SET failures = 0, lockouts = 0, locked_until = NULL,
    totp_step = coalesce(step, totp_step)
  WHERE account_id = of_account AND NOT disabled AND (step IS NULL OR totp_step < step);
  RETURN FOUND;
END $$;

-- A session for an account that has just proved itself. At most five in browsers: the oldest ends.
CREATE FUNCTION canbao.access_open(of_account bigint, token_hash bytea, csrf text, address text,
                                   agent text)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE made bigint;
BEGIN
  PERFORM FROM canbao.account WHERE account_id = of_account AND NOT disabled FOR UPDATE;
  IF NOT FOUND THEN RETURN NULL; END IF;
  DELETE FROM canbao.session WHERE now() >= idle_until OR now() >= expires_at;
  DELETE FROM canbao.session WHERE session_id IN (
    SELECT session_id FROM canbao.session WHERE account_id = of_account AND kind = 'browser'
    ORDER BY last_seen_at DESC, session_id DESC OFFSET 4);
  INSERT INTO canbao.session (account_id, token_hash, csrf, kind, idle_until, expires_at, address, agent)
  VALUES (of_account, access_open.token_hash, access_open.csrf, 'browser', now() + interval '30 minutes',
          now() + interval '12 hours', access_open.address, left(access_open.agent, 200))
  RETURNING session_id INTO made;
  UPDATE canbao.account SET last_signed_in_at = now() WHERE account_id = of_account;
  RETURN made;
END $$;

-- Who a token belongs to; also says that it was seen, not more often than once a minute.
CREATE FUNCTION canbao.access_recognise(of_token bytea, seen boolean)
RETURNS TABLE (session_id bigint, account_id bigint, account text, name text, roles text[],
               division bigint, csrf text, expires_at timestamptz, must_change boolean,
               has_totp boolean, administrator boolean, permissions text[], kind text,
               last_signed_in_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE canbao.session s SET last_seen_at = now(), idle_until = now() + interval '30 minutes'
  WHERE seen AND s.token_hash = of_token AND s.kind = 'browser' AND now() < s.idle_until AND now() < s.expires_at
    AND s.last_seen_at < now() - interval '1 minute';
  RETURN QUERY SELECT s.session_id, a.account_id, a.account, a.name, a.roles, a.division, s.csrf,
      least(s.expires_at, s.idle_until), a.must_change, a.totp IS NOT NULL,
      canbao.is_administrator(a.roles),
      ARRAY(SELECT DISTINCT p.permission FROM canbao.role_permission p WHERE p.role = ANY (a.roles)
            ORDER BY 1), s.kind, a.last_signed_in_at
    FROM canbao.session s JOIN canbao.account a USING (account_id)
    WHERE s.token_hash = of_token AND now() < s.idle_until AND now() < s.expires_at AND NOT a.disabled;
END $$;

-- Ends a session of the account; all but `kept` when no one is named.
CREATE FUNCTION canbao.access_end(of_account bigint, session bigint, kept bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM canbao.session s WHERE s.account_id = of_account
    AND (session IS NULL OR s.session_id = session) AND s.session_id IS DISTINCT FROM kept;
  RETURN FOUND;
END $$;

CREATE FUNCTION canbao.access_set_password(of_account bigint, hash text, kept bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE canbao.account SET password_hash = hash, must_change = false, failures = 0, lockouts = 0,
    locked_until = NULL WHERE account_id = of_account;
  DELETE FROM canbao.session WHERE account_id = of_account AND session_id IS DISTINCT FROM kept;
END;

CREATE FUNCTION canbao.access_begin_totp(of_account bigint, sealed bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE canbao.account SET totp_pending = sealed WHERE account_id = of_account;
END;
CREATE FUNCTION canbao.access_pending_totp(of_account bigint) RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT totp_pending FROM canbao.account WHERE account_id = of_account;
END;
CREATE FUNCTION canbao.access_confirm_totp(of_account bigint, step bigint, kept bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE canbao.account SET totp = totp_pending, totp_pending = NULL, totp_step = step
  WHERE account_id = of_account AND totp_pending IS NOT NULL;
  DELETE FROM canbao.session WHERE account_id = of_account AND session_id IS DISTINCT FROM kept;
END;

-- ---- own sessions (canbao_app) ----

CREATE FUNCTION canbao.own_sessions()
RETURNS TABLE (session_id bigint, created_at timestamptz, last_seen_at timestamptz, address text,
               agent text, current boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT s.session_id, s.created_at, s.last_seen_at, s.address, s.agent, s.session_id = c.session_id
  FROM canbao.session s JOIN canbao.caller c ON c.account_id = s.account_id
  WHERE s.kind = 'browser' AND now() < s.idle_until AND now() < s.expires_at
  ORDER BY s.last_seen_at DESC;
END;

-- ---- administration of accounts (canbao_app within permissions, or the owner by `canbao user`) ----

CREATE FUNCTION canbao.administers(permission text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT session_user = current_user OR canbao.permitted(administers.permission);
END;
-- Within the caller's division; the owner's is the country.
CREATE FUNCTION canbao.administers_at(division bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT session_user = current_user OR
    canbao.divisions_within(administers_at.division) <@ (SELECT canbao.place());
END;

CREATE FUNCTION canbao.accounts()
RETURNS TABLE (account_id bigint, account text, name text, roles text[], division bigint,
               disabled boolean, waiting boolean, locked boolean, has_totp boolean,
               must_change boolean, last_signed_in_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT a.account_id, a.account, a.name, a.roles, a.division, a.disabled, a.waiting,
    coalesce(a.locked_until > now(), false), a.totp IS NOT NULL, a.must_change, a.last_signed_in_at
  FROM canbao.account a
  WHERE (SELECT canbao.administers('users.read')) AND canbao.administers_at(a.division)
  ORDER BY a.account;
END;

-- 'ok', 'forbidden', 'exists', 'roles' (incompatible or unknown). Who may create but not grant makes
-- an account that waits for a security administrator.
CREATE FUNCTION canbao.add_account(account text, name text, roles text[], division bigint, hash text,
                                   made_by text, OUT said text, OUT made bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE waits boolean := session_user <> current_user;
BEGIN
  IF NOT canbao.administers('users.create') OR NOT canbao.administers_at(add_account.division) THEN
    said := 'forbidden';
  ELSIF NOT canbao.roles_compatible(add_account.roles)
      OR EXISTS (SELECT FROM unnest(add_account.roles) r WHERE r NOT IN (SELECT role FROM canbao.role)) THEN
    said := 'roles';
  ELSE
    INSERT INTO canbao.account (account, name, roles, division, password_hash, disabled, waiting, created_by)
    VALUES (add_account.account, add_account.name, add_account.roles, add_account.division, hash, waits,
            waits, made_by)
    ON CONFLICT DO NOTHING RETURNING account_id INTO made;
    said := CASE WHEN made IS NULL THEN 'exists' ELSE 'ok' END;
  END IF;
END $$;

-- NULL leaves a value as it is. 'ok', 'forbidden', 'unknown', 'roles', 'self': nobody changes what he
-- himself may do. To take away is free to both administrators, to give is the security administrator's.
CREATE FUNCTION canbao.change_account(of_account bigint, new_name text, new_roles text[],
                                      new_division bigint, new_disabled boolean, unlock boolean,
                                      reset_totp boolean, new_hash text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  a canbao.account;
  grants boolean := canbao.administers('users.grant');
BEGIN
  IF NOT canbao.administers('users.write') THEN RETURN 'forbidden'; END IF;
  SELECT * INTO a FROM canbao.account WHERE account_id = of_account FOR UPDATE;
  IF NOT FOUND OR NOT canbao.administers_at(a.division) THEN RETURN 'unknown'; END IF;
  IF a.account_id = canbao.account_id() AND session_user <> current_user THEN RETURN 'self'; END IF;
  IF NOT grants AND (new_roles IS NOT NULL OR new_division IS NOT NULL OR NOT coalesce(new_disabled, true)
                     OR coalesce(unlock, false) OR coalesce(reset_totp, false) OR new_hash IS NOT NULL) THEN
    RETURN 'forbidden';
  END IF;
  IF new_division IS NOT NULL AND NOT canbao.administers_at(new_division) THEN RETURN 'forbidden'; END IF;
  IF new_roles IS NOT NULL AND (NOT canbao.roles_compatible(new_roles)
      OR EXISTS (SELECT FROM unnest(new_roles) r WHERE r NOT IN (SELECT role FROM canbao.role))) THEN
    RETURN 'roles';
  END IF;
  UPDATE canbao.account SET
    name = coalesce(new_name, name),
    roles = coalesce(new_roles, roles),
    division = coalesce(new_division, division),
    disabled = coalesce(new_disabled, disabled),
    waiting = waiting AND new_disabled IS DISTINCT FROM false,
    failures = CASE WHEN unlock OR new_hash IS NOT NULL THEN 0 ELSE failures END,
    lockouts = CASE WHEN unlock OR new_hash IS NOT NULL THEN 0 ELSE lockouts END,
    locked_until = CASE WHEN unlock OR new_hash IS NOT NULL THEN NULL ELSE locked_until END,
    totp = CASE WHEN reset_totp THEN NULL ELSE totp END,
    totp_pending = CASE WHEN reset_totp THEN NULL ELSE totp_pending END,
    password_hash = coalesce(new_hash, password_hash),
    must_change = must_change OR new_hash IS NOT NULL
  WHERE account_id = of_account;
  -- What was granted is granted anew with the next signing in.
  IF new_roles IS NOT NULL OR new_division IS NOT NULL OR new_disabled OR reset_totp
      OR new_hash IS NOT NULL THEN
    DELETE FROM canbao.session WHERE account_id = of_account;
  END IF;
  RETURN 'ok';
END $$;

-- ---- audit ----

CREATE TABLE canbao.audit_chain (
  chain_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  worker    text NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE canbao.audit_chain IS 'One writer of the audit from its start to its end';

CREATE TABLE canbao.audit_entry (
  chain_id   bigint NOT NULL REFERENCES canbao.audit_chain,
  seq        bigint NOT NULL CHECK (seq > 0),   -- 1, 2, 3, … without a gap
  at         timestamptz NOT NULL,
  account_id bigint,                            -- NULL = nobody was recognised
  account    text NOT NULL,                     -- as it was named
  action     text NOT NULL,
  person     bigint,                            -- person key
  purpose    text NOT NULL,
  detail     text NOT NULL,                     -- JSON, without identity data
  address    text NOT NULL,
  outcome    text NOT NULL,                     -- "ok" or the code of the refusal
  hash       bytea NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (chain_id, seq)
);
CREATE INDEX audit_entry_at ON canbao.audit_entry (at DESC, chain_id DESC, seq DESC);
CREATE INDEX audit_entry_person ON canbao.audit_entry (person, at DESC) WHERE person IS NOT NULL;
CREATE INDEX audit_entry_account ON canbao.audit_entry (account, at DESC);
COMMENT ON TABLE canbao.audit_entry IS 'Who did what, to whom, why; appended only';

CREATE TABLE canbao.audit_root (
  root_id   bigint PRIMARY KEY CHECK (root_id > 0),
  body      text NOT NULL,                      -- what is signed, as in DATA/audit/roots.log
  hash      bytea NOT NULL,                     -- SM3 of the body
  signature bytea NOT NULL,
  made_at   timestamptz NOT NULL DEFAULT now()
);

-- How far the last root that names a chain reaches: what the next root need not say again. Nothing is
-- proved by it.
CREATE TABLE canbao.audit_sealed (
  chain_id bigint PRIMARY KEY REFERENCES canbao.audit_chain,
  seq      bigint NOT NULL
);

CREATE FUNCTION canbao.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION '% is appended to only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON canbao.audit_entry
  FOR EACH STATEMENT EXECUTE FUNCTION canbao.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON canbao.audit_root
  FOR EACH STATEMENT EXECUTE FUNCTION canbao.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON canbao.audit_chain
  FOR EACH STATEMENT EXECUTE FUNCTION canbao.refuse_change();

CREATE FUNCTION canbao.open_audit_chain(worker text, OUT chain_id bigint, OUT opened_us bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO canbao.audit_chain (worker) VALUES (open_audit_chain.worker)
  RETURNING audit_chain.chain_id, (extract(epoch FROM opened_at) * 1000000)::bigint;
END;

-- False: not the chain's next entry, or a handler that speaks for another account than its session's.
CREATE FUNCTION canbao.append_audit(chain bigint, number bigint, at_us bigint, of_account bigint,
    account text, action text, person bigint, purpose text, detail text, address text, outcome text,
    hash bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF session_user = 'canbao_app' AND of_account IS DISTINCT FROM canbao.account_id() THEN
    RETURN false;
  END IF;
  IF number IS DISTINCT FROM coalesce((SELECT max(seq) FROM canbao.audit_entry e
                                       WHERE e.chain_id = chain), 0) + 1 THEN
    RETURN false;
  END IF;
  INSERT INTO canbao.audit_entry
  VALUES (chain, number, 'epoch'::timestamptz + at_us * interval '1 microsecond', of_account,
          append_audit.account, append_audit.action, append_audit.person, append_audit.purpose,
          append_audit.detail, append_audit.address, append_audit.outcome, append_audit.hash);
  RETURN true;
END $$;

-- Ends of the chains that grew since the last root.
CREATE FUNCTION canbao.audit_heads()
RETURNS TABLE (chain_id bigint, seq bigint, hash bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT c.chain_id, e.seq, e.hash
  FROM canbao.audit_chain c LEFT JOIN canbao.audit_sealed s ON s.chain_id = c.chain_id, LATERAL (
    SELECT x.seq, x.hash FROM canbao.audit_entry x WHERE x.chain_id = c.chain_id
    ORDER BY x.seq DESC LIMIT 1) e
  WHERE e.seq > coalesce(s.seq, 0)
  ORDER BY c.chain_id;
END;
CREATE FUNCTION canbao.last_audit_root(OUT root_id bigint, OUT body text, OUT hash bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT r.root_id, r.body, r.hash FROM canbao.audit_root r ORDER BY r.root_id DESC LIMIT 1;
END;
CREATE FUNCTION canbao.append_audit_root(root_id bigint, body text, hash bytea, signature bytea)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO canbao.audit_root (root_id, body, hash, signature)
  VALUES (append_audit_root.root_id, append_audit_root.body, append_audit_root.hash,
          append_audit_root.signature)
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO canbao.audit_sealed AS s (chain_id, seq)
  SELECT (h->>0)::bigint, (h->>1)::bigint
  FROM jsonb_array_elements(append_audit_root.body::jsonb->'heads') h
  ON CONFLICT (chain_id) DO UPDATE SET seq = greatest(s.seq, excluded.seq);
  RETURN true;
END $$;

-- The auditor reads all of it; who may see a person also sees who looked at that person.
GRANT SELECT ON canbao.audit_chain, canbao.audit_entry, canbao.audit_root TO canbao_app;
ALTER TABLE canbao.audit_entry ENABLE ROW LEVEL SECURITY;
CREATE POLICY auditor ON canbao.audit_entry FOR SELECT TO canbao_app USING (
  (SELECT canbao.permitted('audit.read')));
CREATE POLICY looks ON canbao.audit_entry FOR SELECT TO canbao_app USING (
  person IS NOT NULL AND action LIKE 'person.%' AND (SELECT canbao.permitted('persons.read'))
  AND canbao.sees_person(person));
ALTER TABLE canbao.audit_chain ENABLE ROW LEVEL SECURITY;
CREATE POLICY auditor ON canbao.audit_chain FOR SELECT TO canbao_app USING (
  (SELECT canbao.permitted('audit.read')));
ALTER TABLE canbao.audit_root ENABLE ROW LEVEL SECURITY;
CREATE POLICY auditor ON canbao.audit_root FOR SELECT TO canbao_app USING (
  (SELECT canbao.permitted('audit.read')));

-- ---- one's own ----

CREATE TABLE canbao.saved_filter (
  filter_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id bigint NOT NULL DEFAULT canbao.account_id() REFERENCES canbao.account ON DELETE CASCADE,
  name       text NOT NULL,
  list       text NOT NULL,
  query      jsonb NOT NULL,
  made_at    timestamptz NOT NULL DEFAULT now(),
  UNIQUE (account_id, name)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON canbao.saved_filter TO canbao_app;
ALTER TABLE canbao.saved_filter ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON canbao.saved_filter TO canbao_app
  USING (account_id = (SELECT canbao.account_id())) WITH CHECK (account_id = (SELECT canbao.account_id()));

-- The answer to a POST that was sent with an Idempotency-Key; sent again, it is given again.
CREATE TABLE canbao.idempotency_key (
  account_id bigint NOT NULL DEFAULT canbao.account_id() REFERENCES canbao.account ON DELETE CASCADE,
  key        text NOT NULL,
  operation  text NOT NULL,
  digest     text NOT NULL,                     -- SHA-256 of the request
  status     integer,                           -- NULL until it is answered
  headers    jsonb,
  body       text,
  made_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (account_id, key)
);
CREATE INDEX idempotency_key_made ON canbao.idempotency_key (made_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON canbao.idempotency_key TO canbao_app;
ALTER TABLE canbao.idempotency_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON canbao.idempotency_key TO canbao_app
  USING (account_id = (SELECT canbao.account_id())) WITH CHECK (account_id = (SELECT canbao.account_id()));

-- ---- who may call what: functions are everybody's by default ----

DO $$
DECLARE f regprocedure;
BEGIN
  FOR f IN SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'canbao'::regnamespace
           AND p.prosecdef LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
  END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION canbao.account_id(), canbao.permitted(text), canbao.place(), canbao.scope(),
  canbao.figure_scope(), canbao.own_sessions(),
  canbao.accounts(), canbao.add_account(text, text, text[], bigint, text, text),
  canbao.change_account(bigint, text, text[], bigint, boolean, boolean, boolean, text)
  TO canbao_app;
GRANT EXECUTE ON FUNCTION canbao.access_attempt(text), canbao.access_forgive(bigint, bigint),
  canbao.access_open(bigint, bytea, text, text, text), canbao.access_recognise(bytea, boolean),
  canbao.access_end(bigint, bigint, bigint), canbao.access_set_password(bigint, text, bigint),
  canbao.access_begin_totp(bigint, bytea), canbao.access_pending_totp(bigint),
  canbao.access_confirm_totp(bigint, bigint, bigint),
  canbao.audit_heads(), canbao.last_audit_root(),
  canbao.append_audit_root(bigint, text, bytea, bytea)
  TO canbao_access;
GRANT EXECUTE ON FUNCTION canbao.open_audit_chain(text),
  canbao.append_audit(bigint, bigint, bigint, bigint, text, text, bigint, text, text, text, text, bytea)
  TO canbao_app, canbao_access;
