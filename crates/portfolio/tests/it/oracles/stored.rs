//! Ledgers, lots and values through a database: what is compared comes from each case's portfolio as it is loaded again.

use portfolio::analytics::{View, Viewed, view};
use serde_json::Value;

use super::market::{Names, text};
use super::stored_case::{Owner, StoredCase, put_rates};
use super::{lots, portfolios, run_stored};
use crate::world::{Server, World, on_both_servers};

on_both_servers!(lots_oracles_through_the_store);

async fn lots_oracles_through_the_store(server: Server) {
    let show = |shown: Shown<'_>| {
        let method = shown.viewed.row().lot_method;
        match shown.viewed.walk(&shown.view.market, Vec::new()) {
            Ok(walk) => lots::state(shown.names, &walk.unwrap().ledger, method),
            Err(stopped) => shown.names.error(&stopped),
        }
    };
    family("lots.json", "as_of", server, show).await;
}

on_both_servers!(portfolios_oracles_through_the_store);

async fn portfolios_oracles_through_the_store(server: Server) {
    let show = |shown: Shown<'_>| {
        let Shown {
            input,
            names,
            view,
            viewed,
        } = shown;
        let from = portfolios::from(input);
        let walk = viewed.walk(&view.market, from.into_iter().collect());
        portfolios::shown(names, walk, from, viewed.settings(&view.market))
    };
    family("portfolios.json", "to", server, show).await;
}

/// A case as it is in the database.
struct Shown<'s> {
    input: &'s Value,
    names: &'s Names,
    view: &'s View,
    viewed: &'s Viewed,
}

async fn family(file: &str, last_day: &str, server: Server, show: impl Fn(Shown<'_>) -> Value) {
    let world = World::empty(server).await;
    let user = world.user("a@b.c").await;
    let store = &world.store;
    put_rates(store, file).await;
    run_stored(file, server, async |id, input| {
        let owner = Owner {
            store,
            user,
            portfolio: id,
        };
        let mut case = StoredCase::start(owner, id, input).await;
        if let Err(refused) = case.rows().await {
            return refused;
        }
        let as_of = text(input, last_day).unwrap().parse().unwrap();
        let found = view(store, user, Some(case.portfolio), Some(as_of)).await;
        let found = found.unwrap();
        show(Shown {
            input,
            names: &case.names,
            view: &found,
            viewed: &found.portfolios[0],
        })
    })
    .await;
}
