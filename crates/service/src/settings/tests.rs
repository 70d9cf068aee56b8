use std::fs;

use protocol::Codec;
use tempfile::TempDir;

use super::*;

/// A working directory with a settings file, a `.env`, variables and options.
struct Case {
    folder: TempDir,
    variables: Vec<(String, String)>,
    overrides: Vec<(&'static str, &'static str, String)>,
}

impl Case {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            variables: Vec::new(),
            overrides: Vec::new(),
        }
    }

    fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn option(mut self, name: &'static str, option: &'static str, value: &str) -> Self {
        self.overrides.push((name, option, value.to_owned()));
        self
    }

    fn load(&self) -> Result<Settings, Error> {
        let folder = self.folder.path();
        let environment = Environment::new(self.variables.iter().cloned(), folder)?;
        Settings::load(&Sources {
            folder: folder.to_owned(),
            config: None,
            environment,
            overrides: self.overrides.clone(),
        })
    }

    fn error(&self) -> String {
        crate::error_text(&self.load().unwrap_err())
    }
}

#[test]
fn without_sources_the_defaults_hold() {
    let settings = Case::new().load().unwrap();
    assert_eq!(settings.get("task_acks_late"), &Value::Bool(true));
    assert_eq!(settings.get("result_expires"), &Value::Int(86_400));
    assert_eq!(settings.broker_urls(), ["sqlite:data/celeriac.db"]);
    assert_eq!(settings.get("result_backend"), &Value::Null);
    assert!(
        settings
            .entries()
            .iter()
            .all(|entry| entry.origin == Origin::Default)
    );
}

#[test]
fn later_sources_win() {
    let case = Case::new()
        .file(
            "celeriac.toml",
            "worker_concurrency = 1\ntimezone = 'Asia/Tokyo'\nresult_expires = 60\n",
        )
        .file(
            ".env",
            "CELERY_WORKER_CONCURRENCY=2\nCELERY_TIMEZONE=Europe/Paris\nCELERY_RESULT_EXPIRES=61\n",
        )
        .variable("CELERY_WORKER_CONCURRENCY", "3")
        .variable("CELERY_TIMEZONE", "Europe/Rome");
    let settings = case.load().unwrap();
    assert_eq!(settings.get("result_expires"), &Value::Int(61));
    assert_eq!(settings.get("timezone"), &Value::from("Europe/Rome"));
    assert_eq!(settings.get("worker_concurrency"), &Value::Int(3));
    let case = case.option("worker_concurrency", "--concurrency", "4");
    let settings = case.load().unwrap();
    assert_eq!(settings.get("worker_concurrency"), &Value::Int(4));
    let origin = |name| settings.entry(name).origin.to_string();
    assert_eq!(origin("worker_concurrency"), "option --concurrency");
    assert_eq!(origin("timezone"), "variable CELERY_TIMEZONE");
    assert_eq!(origin("result_expires"), "CELERY_RESULT_EXPIRES in .env");
}

#[test]
fn a_file_in_the_data_folder_is_read_when_the_working_directory_has_none() {
    let case = Case::new();
    for folder in ["data", "elsewhere"] {
        fs::create_dir(case.folder.path().join(folder)).unwrap();
    }
    let case = case
        .file("data/celeriac.toml", "result_expires = 1\n")
        .file("elsewhere/celeriac.toml", "result_expires = 2\n");
    let expires = |case: &Case| case.load().unwrap().int("result_expires");
    assert_eq!(expires(&case), Some(1));
    let case = case.variable("CELERIAC_DATA_FOLDER", "elsewhere");
    assert_eq!(expires(&case), Some(2));
    let case = case.option("celeriac_data_folder", "--data", "data");
    assert_eq!(expires(&case), Some(1));
    let case = case.file("celeriac.toml", "result_expires = 3\n");
    assert_eq!(expires(&case), Some(3));
}

#[test]
fn toml_yaml_and_json_say_the_same() {
    let toml = "broker_url = 'redis://h/1'\n[task_routes]\n'proj.Tasks.Add' = {queue = 'q'}\n'a.*' = 'r'\n";
    let yaml = "broker_url: redis://h/1\ntask_routes:\n  proj.Tasks.Add: {queue: q}\n  a.*: r\n";
    let json = "{\n\t\"broker_url\": \"redis://h/1\",\n\t\"task_routes\": {\"proj.Tasks.Add\": {\"queue\": \"q\"}, \"a.*\": \"r\"}}";
    for (name, text) in [
        ("celeriac.toml", toml),
        ("celeriac.yaml", yaml),
        ("celeriac.json", json),
    ] {
        let settings = Case::new().file(name, text).load().unwrap();
        assert_eq!(settings.broker_urls(), ["redis://h/1"], "{name}");
        let keys: Vec<_> = settings
            .get("task_routes")
            .as_map()
            .unwrap()
            .keys()
            .collect();
        assert_eq!(keys, ["proj.Tasks.Add", "a.*"], "{name}");
        let routes = settings.client_options().unwrap().task_routes;
        assert_eq!(
            routes.find("proj.Tasks.Add").unwrap().queue.as_deref(),
            Some("q"),
            "{name}"
        );
    }
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_valid_one() {
    let case = Case::new().file("celeriac.toml", "worker_concurency = 2\n");
    let error = case.error();
    assert!(
        error.starts_with("unknown setting `worker_concurency` (file "),
        "{error}"
    );
    assert!(
        error.ends_with("did you mean `worker_concurrency`?"),
        "{error}"
    );
    assert_eq!(case.load().unwrap_err().exit().code(), 78);

    let error = Case::new()
        .file("celeriac.toml", "CELERY_TASK_ROUTES = 1\n")
        .error();
    assert!(error.ends_with("did you mean `task_routes`?"), "{error}");
    let error = Case::new().file("celeriac.toml", "\"a.b.c\" = 1\n").error();
    assert!(error.starts_with("unknown setting `a.b.c`"), "{error}");
    let error = Case::new().variable("CELERY_TASK_ACK_LATE", "1").error();
    assert_eq!(
        error,
        "unknown setting `CELERY_TASK_ACK_LATE` (variable CELERY_TASK_ACK_LATE), did you mean `CELERY_TASK_ACKS_LATE`?"
    );
}

#[test]
fn celery_s_other_variables_and_foreign_ones_are_let_through() {
    let case = Case::new()
        .variable("CELERY_CONFIG_MODULE", "proj.celeryconfig")
        .variable("CELERIAC_SOMETHING", "x")
        .variable("PATH", "/bin")
        .variable("CELERIAC_LEASE_SECONDS", "5");
    assert_eq!(
        case.load().unwrap().get("celeriac_lease_seconds"),
        &Value::Int(5)
    );
}

#[test]
fn a_wrong_type_names_setting_value_source_and_rule() {
    let error = Case::new()
        .variable("CELERY_TASK_ACKS_LATE", "perhaps")
        .error();
    assert_eq!(
        error,
        "setting `task_acks_late` is \"perhaps\" (variable CELERY_TASK_ACKS_LATE): it must be true or false"
    );
    let error = Case::new()
        .file("celeriac.toml", "result_expires = \"1\"\n")
        .error();
    assert!(error.contains("`result_expires` is \"1\""), "{error}");
    assert!(
        error.ends_with("it must be a number of at least 0"),
        "{error}"
    );
    let error = Case::new().option("worker_concurrency", "-c", "0").error();
    assert!(
        error.ends_with("it must be a whole number of at least 1, or auto"),
        "{error}"
    );
    let error = Case::new()
        .file("celeriac.toml", "task_serializer = 'pickle'\n")
        .error();
    assert!(
        error.ends_with("it must be one of json, msgpack, yaml"),
        "{error}"
    );
    let error = Case::new().variable("CELERIAC_LEASE_SECONDS", "0").error();
    assert!(
        error.ends_with("it must be a number of seconds greater than 0"),
        "{error}"
    );
    let error = Case::new()
        .variable("CELERY_BROKER_URL", "localhost")
        .error();
    assert!(error.contains("`broker_url`"), "{error}");
}

#[test]
fn secrets_do_not_show_in_errors() {
    let error = Case::new()
        .file("celeriac.toml", "security_key_password = 12345\n")
        .error();
    assert!(!error.contains("12345"), "{error}");
    let error = Case::new()
        .file("celeriac.toml", "broker_url = [1, 'redis://:hunter2@h']\n")
        .error();
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn nothing_is_a_value_only_where_it_means_something() {
    let settings = Case::new()
        .file("celeriac.yaml", "result_expires: null\n")
        .load()
        .unwrap();
    assert_eq!(settings.result_policy().expires, None);
    let settings = Case::new()
        .variable("CELERY_RESULT_EXPIRES", "none")
        .load()
        .unwrap();
    assert_eq!(settings.result_policy().expires, None);
    let settings = Case::new()
        .variable("CELERY_TASK_ACKS_LATE", "")
        .load()
        .unwrap();
    assert_eq!(settings.get("task_acks_late"), &Value::Bool(true));
    assert!(
        Case::new()
            .file("celeriac.yaml", "task_acks_late: null\n")
            .load()
            .is_err()
    );
}

#[test]
fn a_broken_file_is_named_with_the_reason() {
    let error = Case::new().file("celeriac.toml", "a = \n").error();
    assert!(error.starts_with("cannot understand "), "{error}");
    let error = Case::new().file("celeriac.json", "[1]").error();
    assert!(
        error.ends_with("the top level must be an object, not a list"),
        "{error}"
    );
    let error = Case::new().variable("CELERIAC_CONFIG", "none.toml").error();
    assert!(error.starts_with("cannot read "), "{error}");
    let error = Case::new()
        .file("x.ini", "")
        .variable("CELERIAC_CONFIG", "x.ini")
        .error();
    assert!(error.ends_with(".toml, .yaml, .yml or .json"), "{error}");
    let error = Case::new().file(".env", "A=1\nnonsense\n").error();
    assert!(
        error.ends_with(".env, line 2: must be NAME=value"),
        "{error}"
    );
}

#[test]
fn settings_that_do_nothing_are_told_with_the_reason() {
    let settings = Case::new()
        .variable("CELERY_WORKER_TIMER", "mine")
        .load()
        .unwrap();
    let ignored: Vec<_> = settings
        .ignored()
        .map(|(entry, _)| entry.setting.name)
        .collect();
    assert_eq!(ignored, ["worker_timer"]);
}

#[test]
fn several_brokers_are_tried_in_order() {
    let settings = Case::new()
        .variable("CELERY_BROKER_URL", "redis://a; redis://b")
        .load()
        .unwrap();
    assert_eq!(settings.broker_urls(), ["redis://a", "redis://b"]);
    let settings = Case::new()
        .file("celeriac.toml", "broker_url = ['redis://a', 'redis://b']\n")
        .load()
        .unwrap();
    assert_eq!(settings.broker_urls(), ["redis://a", "redis://b"]);
}

#[test]
fn the_client_sends_as_configured() {
    let text = "task_serializer = 'msgpack'\ntask_compression = 'zstd'\ntask_default_queue = 'main'\n\
                task_default_priority = 3\ntask_publish_retry_policy = {max_retries = 7, interval_max = 2.5}\n\
                task_routes = [['a.*', {queue = 'q', priority = 9}], {b = 'r'}]\n";
    let options = Case::new()
        .file("celeriac.toml", text)
        .load()
        .unwrap()
        .client_options()
        .unwrap();
    assert_eq!(options.task_serializer, Codec::Msgpack);
    assert_eq!(options.task_default_queue, "main");
    assert_eq!(options.task_default_priority, Some(3));
    assert_eq!(options.task_publish_retry_policy.max_retries, Some(7));
    assert_eq!(
        options.task_publish_retry_policy.interval_max.as_millis(),
        2_500
    );
    assert_eq!(options.task_routes.find("a.x").unwrap().priority, Some(9));
    assert_eq!(
        options.task_routes.find("b").unwrap().queue.as_deref(),
        Some("r")
    );
}

#[test]
fn wrong_routes_are_refused() {
    let refused = |text: &str| {
        let settings = Case::new().file("celeriac.toml", text).load().unwrap();
        settings.client_options().unwrap_err().to_string()
    };
    assert!(refused("task_routes = {a = {queu = 'q'}}").contains("queu is none of queue"));
    assert!(refused("task_routes = {a = 1}").contains("a: the destination is an integer"));
    assert!(refused("task_routes = 5").contains("must be a table of patterns"));
    assert!(refused("accept_content = ['pickle']").contains("`accept_content`"));
    assert!(refused("task_default_priority = 300").contains("from 0 to 255"));
}

#[test]
fn a_time_zone_that_there_is_not_is_refused() {
    let load = |zone: &str| {
        Settings::load(&Sources {
            overrides: vec![("timezone", "--x", zone.to_owned())],
            ..Sources::default()
        })
    };
    assert!(load("America/New_York").is_ok());
    let error = load("Europe/Atlantis").unwrap_err().to_string();
    assert!(error.contains("the name of a time zone"), "{error}");
}

#[test]
fn a_chords_claim_is_celerys_but_never_outlives_a_dead_worker() {
    let claim = |file: &str| {
        let case = Case::new().file("celeriac.toml", file);
        case.load().unwrap().result_policy().chord_claim.as_millis()
    };
    assert_eq!(claim(""), 6_000);
    assert_eq!(claim("result_chord_join_timeout = 0"), 10_000);
    assert_eq!(claim("result_chord_join_timeout = 1"), 5_000);
    assert_eq!(claim("celeriac_lease_seconds = 3"), 1_500);
}

#[test]
fn mail_is_set_by_the_variables_that_django_applications_have() {
    let case = Case::new()
        .file(
            ".env",
            "EMAIL_HOST=smtp.example.com\nEMAIL_USE_TLS=true\nADMIN_EMAIL=a@b.c\n",
        )
        .variable("EMAIL_PORT", "2525")
        .variable("EMAIL_SUBJECT_PREFIX", "unknown and nobody's business");
    let settings = case.load().unwrap();
    assert_eq!(settings.text("email_host"), Some("smtp.example.com"));
    assert_eq!(settings.int("email_port"), Some(2525));
    assert_eq!(settings.bool("email_use_tls"), Some(true));
    assert_eq!(settings.text("admin_email"), Some("a@b.c"));
    assert!(
        Case::new()
            .variable("EMAIL_PORT", "mail")
            .error()
            .contains("EMAIL_PORT")
    );
}
