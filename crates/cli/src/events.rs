//! What events tell: as lines, as snapshots, as a live screen. It knows no command line.

pub(crate) mod camera;
pub(crate) mod dump;
mod recent;
pub(crate) mod screen;
mod state;
mod worker;
