use testkit::Postgres;

#[test]
fn a_server_answers_and_is_alone() {
    let (one, two) = (Postgres::start(), Postgres::start());
    one.sql("CREATE TABLE t AS SELECT 1 AS x");
    assert_eq!(one.sql("SELECT count(*) FROM t"), "1");
    assert_eq!(
        two.sql("SELECT count(*) FROM pg_tables WHERE tablename = 't'"),
        "0"
    );
}
