//! `backup_data`.

use std::path::Path;

use portfolio::backup::{inspect, restore_url};

use crate::support::System;

const NAME: &str = "apps.main.tasks.backup_data";

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_verified_kept_and_can_be_restored() {
    let system = System::start().await;
    system.database("ada@example.com").await;
    let mut paths = Vec::new();
    for _ in 0..3 {
        let result = system.run(system.call(NAME).kwarg("keep", 2)).await;
        assert_eq!(result["status"], "success", "{result}");
        assert_eq!(result["data"]["verified"], true);
        assert_eq!(result["data"]["row_counts"]["users"], 1);
        paths.push(result["data"]["path"].as_str().unwrap().to_owned());
        let pruned = result["data"]["pruned"].as_array().unwrap();
        assert_eq!(pruned.len(), usize::from(paths.len() == 3));
    }
    assert!(!Path::new(&paths[0]).exists());
    let newest = Path::new(&paths[2]);
    assert!(newest.starts_with(system.data.path().join("backups")));
    assert_eq!(inspect(newest).unwrap().row_counts()["users"], 1);
    let target = system.data.path().join("new/restored.db");
    let restored = restore_url(target.to_str().unwrap(), newest, false, &mut |_| {}).await;
    assert_eq!(restored.unwrap().row_counts["users"], 1);
}

#[tokio::test]
async fn it_stays_in_the_backup_root() {
    let system = System::start().await;
    system.database("ada@example.com").await;
    for destination in ["/tmp", "../elsewhere"] {
        let call = system.call(NAME).kwarg("destination", destination);
        let (kind, text) = system.fails(call).await;
        assert_eq!(kind, "InvalidArgument", "{text}");
    }
    let inside = system
        .run(
            system
                .call(NAME)
                .kwarg("destination", "weekly")
                .kwarg("scope", "config"),
        )
        .await;
    let path = inside["data"]["path"].as_str().unwrap();
    assert!(path.contains("/backups/weekly/finance-config-"), "{path}");
}
