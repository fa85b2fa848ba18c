-- What keeps the tables true whatever the code does: fences, triggers, definer functions.

-- 1. Row-level security on every table that belongs to a program. Unset means nothing.
DO $fence$
DECLARE one text;
BEGIN
  FOR one IN
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'program_id' AND NOT a.attisdropped
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname NOT IN ('directory')
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', one);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', one);
    EXECUTE format(
      'CREATE POLICY programs ON %I USING (program_id = ANY ((SELECT string_to_array('
      'current_setting(''laurel.programs'', true), '',''))::bigint[])) WITH CHECK (program_id = ANY ((SELECT '
      'string_to_array(current_setting(''laurel.programs'', true), '',''))::bigint[]))', one);
  END LOOP;
END
$fence$;

-- 2. What only grows.
CREATE FUNCTION laurel_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% only grows: a correction is a new row', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER entries_only_grow BEFORE UPDATE OR DELETE ON entries
  FOR EACH ROW EXECUTE FUNCTION laurel_only_grows();
CREATE TRIGGER entries_not_emptied BEFORE TRUNCATE ON entries
  FOR EACH STATEMENT EXECUTE FUNCTION laurel_only_grows();
CREATE TRIGGER versions_only_grow BEFORE UPDATE OR DELETE ON program_versions
  FOR EACH ROW EXECUTE FUNCTION laurel_only_grows();
CREATE TRIGGER versions_not_emptied BEFORE TRUNCATE ON program_versions
  FOR EACH STATEMENT EXECUTE FUNCTION laurel_only_grows();
CREATE TRIGGER adjustments_only_grow BEFORE UPDATE OR DELETE ON adjustments
  FOR EACH ROW EXECUTE FUNCTION laurel_only_grows();
CREATE TRIGGER adjustments_not_emptied BEFORE TRUNCATE ON adjustments
  FOR EACH STATEMENT EXECUTE FUNCTION laurel_only_grows();

-- 3. Points that are not there cannot be spent. The account's lock makes this exact; this is the backstop.
--    Entries are written before the account's cached figures, so those still show what was there before.
CREATE FUNCTION laurel_enough_points() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE available bigint;
BEGIN
  SELECT a.points - coalesce((
      SELECT sum(l.remaining) FROM lots l
      WHERE l.program_id = NEW.program_id AND l.account_id = NEW.account_id
        AND l.remaining > 0 AND l.available_at > NEW.recorded_at), 0)
    INTO available FROM accounts a WHERE a.program_id = NEW.program_id AND a.id = NEW.account_id;
  IF available IS NULL OR available < -NEW.points THEN
    RAISE EXCEPTION 'account % has % points available, % are needed', NEW.account_id, available, -NEW.points
      USING ERRCODE = 'check_violation', CONSTRAINT = 'enough_points';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER entries_enough_points BEFORE INSERT ON entries
  FOR EACH ROW WHEN (NEW.points < 0 AND NEW.kind IN ('redeem', 'adjustment'))
  EXECUTE FUNCTION laurel_enough_points();

-- 4. The inbox's days. The app's role owns nothing, so these run with the owner's rights.
CREATE FUNCTION laurel_make_inbox_day(day date) RETURNS boolean LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE part text := 'inbox_' || to_char(day, 'YYYYMMDD');
BEGIN
  IF day NOT BETWEEN current_date - 400 AND current_date + 4000 THEN
    RAISE EXCEPTION 'no inbox day %', day;
  END IF;
  IF to_regclass(part) IS NOT NULL THEN
    RETURN false;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('laurel_make_inbox_day'));
  IF to_regclass(part) IS NOT NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE %I PARTITION OF inbox FOR VALUES FROM (%L) TO (%L)', part, day, day + 1);
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', part);
  RETURN true;
END
$$;

-- Drops the days before `day`, whatever they hold. Returns how many were dropped.
CREATE FUNCTION laurel_drop_inbox_days(day date) RETURNS integer LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE part record; dropped integer := 0;
BEGIN
  IF day > current_date - 7 THEN
    RAISE EXCEPTION 'the last seven days of the inbox stay';
  END IF;
  FOR part IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'inbox'::regclass AND c.relname ~ '^inbox_[0-9]{8}$'
      AND to_date(right(c.relname, 8), 'YYYYMMDD') < day
  LOOP
    EXECUTE format('DROP TABLE %I', part.relname);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END
$$;

-- Counts anew what the planner knows of tables that were never counted or have grown four times since. All our
-- indexes begin with the program, so that without figures any of them looks as good as the right one: a new shop's
-- first minutes, until autovacuum comes by. Returns how many it counted; 0 while another is at it.
CREATE FUNCTION laurel_count_grown_tables() RETURNS integer LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE grown record; counted integer := 0;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('laurel_count_grown_tables')) THEN
    RETURN 0;
  END IF;
  FOR grown IN
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND pg_get_userbyid(c.relowner) = current_user
      AND pg_relation_size(c.oid) > 4 * 8192 * (CASE WHEN c.reltuples < 0 THEN 0 ELSE c.relpages + 4 END)
  LOOP
    EXECUTE format('ANALYZE (SKIP_LOCKED) %I', grown.relname);
    counted := counted + 1;
  END LOOP;
  RETURN counted;
END
$$;
REVOKE ALL ON FUNCTION
  laurel_make_inbox_day(date), laurel_drop_inbox_days(date), laurel_count_grown_tables() FROM PUBLIC;
