//! `task_routes`: which task goes where. Pure; what a destination means to a broker is in `destination`.

use broker::ExchangeKind;

/// Where tasks of a route go; what is `None` is left to the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteOptions {
    /// The queue.
    pub queue: Option<String>,
    /// The exchange, when it is not the queue's own.
    pub exchange: Option<String>,
    /// The exchange's type.
    pub exchange_type: Option<ExchangeKind>,
    /// The routing key.
    pub routing_key: Option<String>,
    /// The priority.
    pub priority: Option<u8>,
}

/// Routes by task name. An exact name wins over patterns; among patterns the first that matches.
///
/// As in Celery a `*` stands for one character or more, and a pattern must match the beginning of the name:
/// `feed.*` matches `feed.tasks.import`, and `*.import` matches `feed.tasks.imports` too.
#[derive(Clone, Debug, Default)]
pub struct Routes(Vec<(String, RouteOptions)>);

impl Routes {
    /// The route of this task.
    pub fn find(&self, task: &str) -> Option<&RouteOptions> {
        let exact = self.0.iter().find(|(pattern, _)| pattern == task);
        let found = exact.or_else(|| self.0.iter().find(|(pattern, _)| matches(pattern, task)));
        found.map(|(_, options)| options)
    }
}

impl<S: Into<String>> FromIterator<(S, RouteOptions)> for Routes {
    fn from_iter<I: IntoIterator<Item = (S, RouteOptions)>>(routes: I) -> Self {
        Self(
            routes
                .into_iter()
                .map(|(pattern, options)| (pattern.into(), options))
                .collect(),
        )
    }
}

fn matches(pattern: &str, task: &str) -> bool {
    if !pattern.contains('*') {
        return false;
    }
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|head| task.strip_prefix(head)) else {
        return false;
    };
    for part in parts {
        // The star takes at least one character; the shortest match leaves most for the other parts.
        let Some(after_one) = rest
            .char_indices()
            .nth(1)
            .map(|(at, _)| at)
            .or((!rest.is_empty()).then_some(rest.len()))
        else {
            return false;
        };
        let Some(at) = rest[after_one..].find(part) else {
            return false;
        };
        rest = &rest[after_one + at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(queue: &str) -> RouteOptions {
        RouteOptions {
            queue: Some(queue.to_owned()),
            ..RouteOptions::default()
        }
    }

    fn queue<'a>(routes: &'a Routes, task: &str) -> Option<&'a str> {
        routes.find(task).and_then(|route| route.queue.as_deref())
    }

    #[test]
    fn exact_names_win_and_then_the_first_pattern() {
        let routes: Routes = [
            ("app.*", to("first")),
            ("app.tasks.*", to("second")),
            ("app.tasks.add", to("exact")),
        ]
        .into_iter()
        .collect();
        assert_eq!(queue(&routes, "app.tasks.add"), Some("exact"));
        assert_eq!(queue(&routes, "app.tasks.mul"), Some("first"));
        assert_eq!(queue(&routes, "other.add"), None);
    }

    #[test]
    fn a_star_takes_one_character_or_more() {
        let routes: Routes = [("a.*.z", to("q")), ("feed.*", to("f"))]
            .into_iter()
            .collect();
        assert_eq!(queue(&routes, "a.b.c.z"), Some("q"));
        assert_eq!(queue(&routes, "a..z"), None);
        assert_eq!(queue(&routes, "feed."), None);
        assert_eq!(queue(&routes, "feed.é"), Some("f"));
    }

    #[test]
    fn a_plain_name_is_no_prefix() {
        let routes: Routes = [("app.add", to("q"))].into_iter().collect();
        assert_eq!(queue(&routes, "app.add_more"), None);
    }
}
