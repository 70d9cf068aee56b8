#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn parse(url: &str) -> RedisOptions {
    RedisOptions::parse(url, &Map::new()).unwrap()
}

fn refused(url: &str) -> String {
    RedisOptions::parse(url, &Map::new())
        .unwrap_err()
        .to_string()
}

#[test]
fn a_full_url_is_read_and_percent_decoded() {
    let options = parse("redis://us%65r:p%40ss%2Fw+rd@[::1]:7000/5");
    assert_eq!(
        options.address,
        Address::Tcp {
            host: "::1".into(),
            port: 7000,
            tls: None
        }
    );
    assert_eq!(options.username.as_deref(), Some("user"));
    assert_eq!(options.password, Some(Secret("p@ss/w+rd".into())));
    assert_eq!((options.db, options.fanout_prefix.as_str()), (5, "/5."));
}

#[test]
fn parts_that_are_left_out_have_celerys_defaults() {
    let options = parse("redis://");
    assert_eq!(
        options.address,
        Address::Tcp {
            host: "localhost".into(),
            port: 6379,
            tls: None
        }
    );
    assert_eq!(
        (options.db, options.username, options.password),
        (0, None, None)
    );
}

#[test]
fn tls_parameters_are_read() {
    let options = parse(
        "rediss://host/0?ssl_cert_reqs=CERT_NONE&ssl_ca_certs=/ca.pem&ssl_check_hostname=false",
    );
    let tls = TlsOptions {
        verify: false,
        check_hostname: false,
        ca_file: Some("/ca.pem".into()),
        ..TlsOptions::default()
    };
    assert_eq!(
        options.address,
        Address::Tcp {
            host: "host".into(),
            port: 6379,
            tls: Some(tls)
        }
    );
}

#[test]
fn socket_urls_carry_database_and_credentials() {
    let options = parse("redis+socket://:secret@/run/redis.sock?virtual_host=3");
    assert_eq!(options.address, Address::Unix("/run/redis.sock".into()));
    assert_eq!(
        (options.db, options.password),
        (3, Some(Secret("secret".into())))
    );
}

#[test]
fn wrong_urls_are_refused_with_the_reason() {
    assert!(refused("amqp://host").contains("amqp"));
    assert!(refused("redis://host/x").contains("database number"));
    assert!(refused("redis://host:port").contains("no port"));
    assert!(refused("redis://host?ssl_ca_certs=/x").contains("rediss"));
    assert!(refused("rediss://host?ssl_cert_reqs=maybe").contains("maybe"));
    assert!(refused("redis://a%zz@host").contains("%25"));
}

#[test]
fn transport_options_are_applied() {
    let given = json!({"visibility_timeout": 1.5, "priority_steps": [5, 0, 5], "sep": "#", "fanout_prefix": "x{db}:",
        "queue_order_strategy": "priority", "fanout_patterns": false, "global_keyprefix": "p_", "max_connections": 10});
    let options = RedisOptions::parse("redis://h/1", given.as_object().unwrap()).unwrap();
    assert_eq!(
        options.visibility_timeout,
        Some(Duration::from_millis(1500))
    );
    assert_eq!(
        (
            options.priority_steps.as_slice(),
            options.separator.as_str()
        ),
        (&[0, 5][..], "#")
    );
    assert_eq!(
        (options.fanout_prefix.as_str(), options.fanout_patterns),
        ("x1:", false)
    );
    assert_eq!(options.queue_order, Some(QueueOrder::Strict));
    assert_eq!(options.global_keyprefix, "p_");
}

#[test]
fn wrong_transport_options_are_refused() {
    for given in [
        json!({"visibility_timeout": 0}),
        json!({"priority_steps": []}),
        json!({"queue_order_strategy": "x"}),
        json!({"sep": ""}),
    ] {
        assert!(
            RedisOptions::parse("redis://h", given.as_object().unwrap()).is_err(),
            "{given}"
        );
    }
}

#[test]
fn no_debug_output_shows_the_password() {
    assert!(!format!("{:?}", parse("redis://:hidden@h")).contains("hidden"));
}
