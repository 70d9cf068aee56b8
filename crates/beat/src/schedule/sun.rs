//! Where the sun stands: Meeus, *Astronomical Algorithms* (2nd edition), chapters 12, 13, 22 and 25, good to about 0.01° between 1950 and 2050.
//!
//! Terrestrial time is taken as universal time plus 70 s, which is within a few seconds for these years.

use std::f64::consts::TAU;

use jiff::Timestamp;

/// 2000-01-01T12:00:00 UTC, in seconds since the epoch.
const J2000: f64 = 946_728_000.0;
const SECONDS_PER_DAY: f64 = 86_400.0;
const TERRESTRIAL_LEAD: f64 = 70.0;
/// The sun's angle as seen from one astronomical unit away, in degrees.
const SEMIDIAMETER: f64 = 0.266_563_9;
/// The earth's radius as seen from the sun one astronomical unit away, in degrees.
const PARALLAX: f64 = 0.002_442_5;

/// Where the sun is seen from a place on earth, angles in degrees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sun {
    /// Of its centre above the horizon, without refraction.
    pub(super) altitude: f64,
    /// West of the meridian, -180 to 180.
    pub(super) hour_angle: f64,
    /// Half its disc.
    pub(super) radius: f64,
}

impl Sun {
    /// Seen at `at` from a latitude (north positive) and longitude (east positive).
    pub(super) fn seen(at: Timestamp, latitude: f64, longitude: f64) -> Self {
        let days = (at.as_duration().as_secs_f64() - J2000) / SECONDS_PER_DAY;
        let (right_ascension, declination, distance) =
            apparent(days + TERRESTRIAL_LEAD / SECONDS_PER_DAY);
        let hour_angle = sidereal(days) + longitude - right_ascension;
        let (sin, cos) = (
            sin(latitude) * sin(declination),
            cos(latitude) * cos(declination),
        );
        let geocentric = (sin + cos * self::cos(hour_angle))
            .clamp(-1.0, 1.0)
            .asin()
            .to_degrees();
        Self {
            altitude: geocentric - PARALLAX / distance * self::cos(geocentric),
            hour_angle: (hour_angle + 180.0).rem_euclid(360.0) - 180.0,
            radius: SEMIDIAMETER / distance,
        }
    }
}

/// Apparent right ascension and declination in degrees, distance in astronomical units.
fn apparent(days: f64) -> (f64, f64, f64) {
    let t = days / 36_525.0;
    let mean_longitude = 280.466_46 + t * (36_000.769_83 + t * 0.000_303_2);
    let anomaly = 357.529_11 + t * (35_999.050_29 - t * 0.000_153_7);
    let eccentricity = 0.016_708_634 - t * (0.000_042_037 + t * 0.000_000_126_7);
    let centre = (1.914_602 - t * (0.004_817 + t * 0.000_014)) * sin(anomaly)
        + (0.019_993 - t * 0.000_101) * sin(2.0 * anomaly)
        + 0.000_289 * sin(3.0 * anomaly);
    let node = 125.04 - 1_934.136 * t;
    let longitude = mean_longitude + centre - 0.005_69 - 0.004_78 * sin(node);
    let obliquity = 23.439_291_1 - t * 0.013_004_2 + 0.002_56 * cos(node);
    let distance =
        1.000_001_018 * (1.0 - eccentricity.powi(2)) / (1.0 + eccentricity * cos(anomaly + centre));
    let right_ascension = (cos(obliquity) * sin(longitude))
        .atan2(cos(longitude))
        .to_degrees();
    (
        right_ascension,
        (sin(obliquity) * sin(longitude)).asin().to_degrees(),
        distance,
    )
}

/// Apparent sidereal time at Greenwich in degrees; the equation of the equinoxes is in the sun's longitude by the same node.
fn sidereal(days: f64) -> f64 {
    let t = days / 36_525.0;
    let node = 125.04 - 1_934.136 * t;
    let equinoxes = -0.004_78 * sin(node) * cos(23.44);
    280.460_618_37 + 360.985_647_366_29 * days + t * t * 0.000_387_933 + equinoxes
}

fn sin(degrees: f64) -> f64 {
    (degrees % 360.0 / 360.0 * TAU).sin()
}

fn cos(degrees: f64) -> f64 {
    (degrees % 360.0 / 360.0 * TAU).cos()
}
