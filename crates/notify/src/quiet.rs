//! Hours in which only what is critical is told.

use std::fmt;

use jiff::{Timestamp, civil::Time, tz::TimeZone};

/// From one time of day to another, by the clock of a place; over midnight where the end is the earlier.
#[derive(Debug, Clone, PartialEq)]
pub struct Quiet {
    from: Time,
    until: Time,
    zone: TimeZone,
}

/// It is no span of hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadQuiet {
    /// Not `HH:MM-HH:MM`, or no time at all.
    #[error("quiet hours are written 22:00-07:00")]
    Hours,
    /// No zone of the IANA database.
    #[error("the time zone is not known; they are named like Europe/Berlin or UTC")]
    Zone,
}

impl Quiet {
    /// `22:00-07:00`, in a zone of the IANA database.
    ///
    /// # Errors
    /// [`BadQuiet`].
    pub fn parse(hours: &str, zone: &str) -> Result<Quiet, BadQuiet> {
        let (from, until) = hours.split_once('-').ok_or(BadQuiet::Hours)?;
        let time = |text: &str| Time::strptime("%H:%M", text.trim()).map_err(|_| BadQuiet::Hours);
        let (from, until) = (time(from)?, time(until)?);
        if from == until {
            return Err(BadQuiet::Hours);
        }
        Ok(Quiet { from, until, zone: TimeZone::get(zone).map_err(|_| BadQuiet::Zone)? })
    }

    /// When the quiet in which this moment lies began and ends; milliseconds since 1970. `None`: it is not quiet.
    pub fn around(&self, now: i64) -> Option<(i64, i64)> {
        let here = Timestamp::from_millisecond(now).ok()?.to_zoned(self.zone.clone());
        let (date, time) = (here.date(), here.time());
        let over_midnight = self.until < self.from;
        let (first, last) = match over_midnight {
            false if self.from <= time && time < self.until => (date, date),
            true if self.from <= time => (date, date.tomorrow().ok()?),
            true if time < self.until => (date.yesterday().ok()?, date),
            _ => return None,
        };
        let at = |date: jiff::civil::Date, time| {
            date.to_datetime(time).to_zoned(self.zone.clone()).ok().map(|z| z.timestamp().as_millisecond())
        };
        Some((at(first, self.from)?, at(last, self.until)?))
    }
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = self.zone.iana_name().unwrap_or("UTC");
        write!(f, "{}-{} {zone}", self.from.strftime("%H:%M"), self.until.strftime("%H:%M"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn quiet_goes_over_midnight_and_by_the_clock_of_its_place() {
        let quiet = Quiet::parse("22:00-07:00", "Europe/Berlin").unwrap();
        let night = Some((at("2026-01-10T21:00:00Z"), at("2026-01-11T06:00:00Z")));
        assert_eq!(quiet.around(at("2026-01-10T21:00:00Z")), night);
        assert_eq!(quiet.around(at("2026-01-11T05:59:00Z")), night);
        assert_eq!(quiet.around(at("2026-01-11T06:00:00Z")), None);
        assert_eq!(quiet.around(at("2026-01-10T12:00:00Z")), None);
        // The night in which the clocks go forward has an hour less.
        let spring = quiet.around(at("2026-03-29T00:30:00Z")).unwrap();
        assert_eq!(spring.1 - spring.0, 8 * 3_600_000);
        let noon = Quiet::parse("12:00-13:00", "UTC").unwrap();
        assert_eq!(
            noon.around(at("2026-01-10T12:30:00Z")),
            Some((at("2026-01-10T12:00:00Z"), at("2026-01-10T13:00:00Z")))
        );
        assert_eq!(Quiet::parse("25:00-07:00", "UTC"), Err(BadQuiet::Hours));
        assert_eq!(Quiet::parse("07:00-07:00", "UTC"), Err(BadQuiet::Hours));
        assert_eq!(Quiet::parse("07:00-08:00", "Mars/Base"), Err(BadQuiet::Zone));
    }

    proptest! {
        #[test]
        fn quiet_lies_around_its_moment(now in 0i64..4_000_000_000_000, from in 0i8..24, until in 0i8..24) {
            prop_assume!(from != until);
            let quiet = Quiet::parse(&format!("{from:02}:00-{until:02}:00"), "America/New_York").unwrap();
            if let Some((began, ends)) = quiet.around(now) {
                prop_assert!(began <= now && now < ends && ends - began <= 25 * 3_600_000);
            }
        }
    }
}
