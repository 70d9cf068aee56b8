//! What is retired is left out, and comes back with all that it had.

use portfolio::store::{NewAccount, NewAsset, Retirable};

use super::{GROWTH, request, run, world};
use crate::world::{Server, now, on_both_servers};

on_both_servers!(a_retired_portfolio_is_left_out_until_it_is_put_again);

async fn a_retired_portfolio_is_left_out_until_it_is_put_again(server: Server) {
    let (world, user, growth, cash) = world(server).await;
    let before = run(&world.store, &request()).await.unwrap();
    world
        .store
        .retire(Retirable::Portfolio, growth)
        .await
        .unwrap();
    let without = run(&world.store, &request()).await.unwrap();
    assert_eq!(without.data.portfolios, 1);
    assert_eq!(without.data.totals["USD"].nav.to_string(), "500");
    let shown = world.store.summary(without.as_of).await.unwrap();
    assert!(shown.iter().all(|row| row.portfolio_id == cash));

    let back = world.portfolio(user, "Growth", true, GROWTH).await;
    assert_eq!(back, growth);
    let after = run(&world.store, &request()).await.unwrap();
    assert_eq!(after.data.totals, before.data.totals);
}

on_both_servers!(retired_assets_and_accounts_are_left_out_until_they_are_put_again);

async fn retired_assets_and_accounts_are_left_out_until_they_are_put_again(server: Server) {
    let (world, user, _, _) = world(server).await;
    let store = &world.store;
    let listed = store.listings().await.unwrap();
    let ibm = listed
        .iter()
        .find(|asset| asset.symbol == "IBM")
        .unwrap()
        .id;
    store.retire(Retirable::Asset, ibm).await.unwrap();
    let left = store.listings().await.unwrap();
    assert_eq!(left.len(), listed.len() - 1);
    assert!(left.iter().all(|asset| asset.id != ibm));
    let figures = run(store, &request()).await.unwrap();
    assert_eq!(figures.data.totals["USD"].nav.to_string(), "1713385.23");
    let row = store.asset_row("IBM", "").await.unwrap().unwrap();
    assert_eq!(store.put_asset(&NewAsset::of(&row)).await.unwrap(), ibm);
    assert!(store.asset_row("NONE", "").await.unwrap().is_none());
    assert_eq!(store.listings().await.unwrap().len(), listed.len());

    let account = store.active_accounts().await.unwrap().remove(0);
    store.retire(Retirable::Account, account.id).await.unwrap();
    let active = store.active_accounts().await.unwrap();
    assert!(active.iter().all(|row| row.id != account.id));
    let again = NewAccount {
        user_id: user,
        name: &account.name,
        currency: account.currency,
        allow_short: false,
    };
    assert_eq!(store.put_account(&again, now()).await.unwrap(), account.id);
    assert_eq!(
        store.active_accounts().await.unwrap().len(),
        active.len() + 1
    );

    for kind in [Retirable::Account, Retirable::Asset, Retirable::Portfolio] {
        let error = store.retire(kind, 999).await.unwrap_err().to_string();
        assert!(error.contains("999 does not exist"), "{error}");
    }
}
