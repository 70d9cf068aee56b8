CREATE TABLE IF NOT EXISTS django_migrations (
    id BIG_ID,
    app varchar(255) NOT NULL,
    name varchar(255) NOT NULL,
    applied A_TIME NOT NULL
);
CREATE TABLE django_celery_beat_intervalschedule (
    id AUTO_ID,
    every integer NOT NULL,
    period varchar(24) NOT NULL
);
CREATE TABLE django_celery_beat_crontabschedule (
    id AUTO_ID,
    minute varchar(240) NOT NULL,
    hour varchar(96) NOT NULL,
    day_of_week varchar(64) NOT NULL,
    day_of_month varchar(124) NOT NULL,
    month_of_year varchar(64) NOT NULL,
    timezone varchar(63) NOT NULL
);
CREATE TABLE django_celery_beat_solarschedule (
    id AUTO_ID,
    event varchar(24) NOT NULL,
    latitude A_DEGREE NOT NULL,
    longitude A_DEGREE NOT NULL,
    CONSTRAINT django_celery_beat_solar_event_latitude_longitude_ba64999a_uniq UNIQUE (event, latitude, longitude)
);
CREATE TABLE django_celery_beat_clockedschedule (
    id AUTO_ID,
    clocked_time A_TIME NOT NULL
);
CREATE TABLE django_celery_beat_periodictasks (
    ident smallint NOT NULL PRIMARY KEY,
    last_update A_TIME NOT NULL
);
CREATE TABLE django_celery_beat_periodictask (
    id AUTO_ID,
    name varchar(200) NOT NULL UNIQUE,
    task varchar(200) NOT NULL,
    args text NOT NULL,
    kwargs text NOT NULL,
    queue varchar(200) NULL,
    exchange varchar(200) NULL,
    routing_key varchar(200) NULL,
    expires A_TIME NULL,
    enabled A_FLAG NOT NULL,
    last_run_at A_TIME NULL,
    total_run_count A_COUNT NOT NULL CHECK (total_run_count >= 0),
    date_changed A_TIME NOT NULL,
    description text NOT NULL,
    crontab_id integer NULL REFERENCES django_celery_beat_crontabschedule (id) DEFERRABLE INITIALLY DEFERRED,
    interval_id integer NULL REFERENCES django_celery_beat_intervalschedule (id) DEFERRABLE INITIALLY DEFERRED,
    solar_id integer NULL REFERENCES django_celery_beat_solarschedule (id) DEFERRABLE INITIALLY DEFERRED,
    one_off A_FLAG NOT NULL,
    start_time A_TIME NULL,
    priority A_COUNT NULL CHECK (priority >= 0),
    headers text NOT NULL,
    clocked_id integer NULL REFERENCES django_celery_beat_clockedschedule (id) DEFERRABLE INITIALLY DEFERRED,
    expire_seconds A_COUNT NULL CHECK (expire_seconds >= 0)
);
CREATE INDEX django_celery_beat_periodictask_crontab_id_d3cba168 ON django_celery_beat_periodictask (crontab_id);
CREATE INDEX django_celery_beat_periodictask_interval_id_a8ca27da ON django_celery_beat_periodictask (interval_id);
CREATE INDEX django_celery_beat_periodictask_solar_id_a87ce72c ON django_celery_beat_periodictask (solar_id);
CREATE INDEX django_celery_beat_periodictask_clocked_id_47a69f82 ON django_celery_beat_periodictask (clocked_id)
