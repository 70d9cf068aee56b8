//! Options of `celery worker` that mean less here, or something else: accepted so that a command line can stay as it is, or refused
//! with what to do instead.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::Error;

const CELERY: &str = "Options of Celery's that do less here";

const DETACH: &str = "a worker does not put itself in the background: let systemd run it (`systemctl enable --now celery-worker@QUEUE`), \
    or `celeriac up`";
const OWNER: &str = "a worker keeps its user, group and file mask: set User=, Group= and UMask= in the systemd unit";
const EXECUTABLE: &str = "the worker is its own program: there is no Python to choose";

/// Celery's options.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = CELERY)]
pub(crate) struct CeleryArgs {
    /// Accepted: tasks are compiled into this program
    #[arg(short = 'A', long, value_name = "NAME", hide_short_help = true)]
    app: Option<String>,
    /// Accepted: tasks are compiled into this program
    #[arg(short = 'I', long, value_name = "MODULES", hide_short_help = true)]
    include: Vec<String>,
    /// Accepted: tasks are compiled into this program
    #[arg(long, value_name = "CLASS", hide_short_help = true)]
    loader: Option<String>,
    /// Accepted: a free slot takes the next message, which is fair
    #[arg(short = 'O', long, value_name = "default|fair", value_parser = ["default", "fair"], hide_short_help = true)]
    optimization: Option<String>,
    /// Accepted: children are always started anew
    #[arg(long, value_name = "METHOD", value_parser = ["fork", "spawn"], hide_short_help = true)]
    pool_start_method: Option<String>,
    /// Hold only what can run at once, however short tasks are
    #[arg(long, hide_short_help = true)]
    disable_prefetch: bool,
    /// Accepted: nothing is checked that could be skipped
    #[arg(long, hide_short_help = true)]
    skip_checks: bool,
    /// Log warnings and worse only
    #[arg(short, long, hide_short_help = true)]
    quiet: bool,
    /// Log without colours
    #[arg(short = 'C', long, hide_short_help = true)]
    no_color: bool,
    /// Work in this folder; an absolute path
    #[arg(long, value_name = "FOLDER", hide_short_help = true)]
    workdir: Option<PathBuf>,
    /// Write the process's number to this file; %n, %h and %p as in --logfile
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) pidfile: Option<String>,
    /// Refused: let systemd or `celeriac up` run the worker
    #[arg(short = 'D', long, hide_short_help = true)]
    detach: bool,
    /// Accepted: the schedule's state is kept on the broker
    #[arg(
        short,
        long,
        alias = "schedule-filename",
        value_name = "FILE",
        hide_short_help = true
    )]
    schedule: Option<String>,
    /// Accepted: settings say where entries come from
    #[arg(long, value_name = "CLASS", hide_short_help = true)]
    scheduler: Option<String>,
    /// Refused: systemd's User=
    #[arg(long, value_name = "USER", hide_short_help = true)]
    uid: Option<String>,
    /// Refused: systemd's Group=
    #[arg(long, value_name = "GROUP", hide_short_help = true)]
    gid: Option<String>,
    /// Refused: systemd's UMask=
    #[arg(long, value_name = "MASK", hide_short_help = true)]
    umask: Option<String>,
    /// Refused: there is no Python to choose
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    executable: Option<String>,
}

impl CeleryArgs {
    /// The settings that these options set.
    pub(crate) fn overrides(&self) -> impl Iterator<Item = (&'static str, &'static str, String)> {
        let set =
            |is: bool, name, option, value: &str| is.then(|| (name, option, value.to_owned()));
        let color = set(self.no_color, "worker_log_color", "--no-color", "false");
        let level = set(self.quiet, "celeriac_log_level", "--quiet", "WARNING");
        let strict = set(
            self.disable_prefetch,
            "worker_disable_prefetch",
            "--disable-prefetch",
            "true",
        );
        color.into_iter().chain(level).chain(strict)
    }

    /// Refuses what cannot be done here, and goes to the folder to work in.
    ///
    /// # Errors
    /// What to do instead, or that there is no such folder.
    pub(crate) fn apply(&self) -> Result<(), Error> {
        let refused = [
            (self.detach, DETACH),
            (
                self.uid.is_some() || self.gid.is_some() || self.umask.is_some(),
                OWNER,
            ),
            (self.executable.is_some(), EXECUTABLE),
        ];
        if let Some((_, why)) = refused.iter().find(|(is_given, _)| *is_given) {
            return Err(Error::Usage((*why).to_owned()));
        }
        self.workdir.as_deref().map_or(Ok(()), work_in)
    }
}

/// An absolute path means the same folder to children and after a restart, which begin in it.
fn work_in(folder: &Path) -> Result<(), Error> {
    let unusable = |why: String| Error::Usage(format!("--workdir {}: {why}", folder.display()));
    if !folder.is_absolute() {
        return Err(unusable("it must be an absolute path".to_owned()));
    }
    std::env::set_current_dir(folder).map_err(|error| unusable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        celery: CeleryArgs,
    }

    fn parse(options: &[&str]) -> CeleryArgs {
        Line::try_parse_from([&["worker"], options].concat())
            .unwrap()
            .celery
    }

    #[test]
    fn what_needs_nothing_done_is_accepted() {
        let line = [
            "-A",
            "proj",
            "-O",
            "fair",
            "-I",
            "a",
            "--disable-prefetch",
            "--loader",
            "x",
            "-q",
            "-C",
        ];
        let args = parse(&line);
        args.apply().unwrap();
        let set: Vec<_> = args
            .overrides()
            .map(|(name, _, value)| (name, value))
            .collect();
        let expected = [
            ("worker_log_color", "false"),
            ("celeriac_log_level", "WARNING"),
            ("worker_disable_prefetch", "true"),
        ];
        assert_eq!(set, expected.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn what_cannot_be_done_is_refused_with_what_to_do() {
        let cases: [(&[&str], &str); 4] = [
            (&["-D"], "systemd"),
            (&["--detach"], "celeriac up"),
            (&["--uid", "nobody"], "User="),
            (&["--workdir", "relative"], "absolute"),
        ];
        for (line, hint) in cases {
            let refused = parse(line).apply().expect_err(hint).to_string();
            assert!(refused.contains(hint), "{line:?}: {refused}");
        }
    }
}
