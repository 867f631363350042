//! Slots joined to stretches: measured downtime nobody judged, with the entry that is about it, and time nobody measured.

use jiff::Timestamp;

use super::Context;
use crate::ledger::{Assessment, Exclusion, Maintenance};
use crate::report::model::{Gap, Link, Unexplained};
use crate::report::slots::{Place, STEP};
use crate::span::Span;

impl Context<'_> {
    /// The unexplained downtime of a function and its unmeasured time.
    pub(super) fn stretches(&self, function: &str) -> (Vec<Unexplained>, Vec<Gap>) {
        let slots = self.slots(function);
        let links = self.links(function);
        let decided = self.frame.decided(function, &self.windows);
        let (mut unexplained, mut gaps) = (Vec::<Unexplained>::new(), Vec::<Gap>::new());
        let (mut last_down, mut last_gap) = (None, None);
        for place in self.frame.undecided(slots, &decided) {
            let start = (place.at - STEP).max(self.frame.month.start());
            match place.up {
                Some(false) => {
                    let link = links.iter().find(|(span, _)| span.holds_slot(place.at)).map(|(_, link)| link);
                    match unexplained.last_mut().filter(|_| follows(last_down, place)) {
                        Some(last) if last.link.as_ref() == link => {
                            last.end = place.at;
                            last.seconds += STEP;
                        }
                        _ => {
                            let link = link.cloned();
                            unexplained.push(Unexplained { start, end: place.at, seconds: STEP, link });
                        }
                    }
                    last_down = Some(place.clock);
                }
                None if self.frame.expects(place) => {
                    match gaps.last_mut().filter(|_| follows(last_gap, place)) {
                        Some(last) => {
                            last.end = place.at;
                            last.seconds += STEP;
                        }
                        None => gaps.push(Gap { start, end: place.at, seconds: STEP }),
                    }
                    last_gap = Some(place.clock);
                }
                _ => {}
            }
        }
        (unexplained, gaps)
    }

    /// Where an entry is about a function's time without deciding it, the strongest first.
    fn links(&self, function: &str) -> Vec<(Span, Link)> {
        let ledger = self.input.ledger;
        let about = |functions: &[String]| functions.iter().any(|name| name == function);
        let incidents =
            ledger.incidents.iter().filter(|incident| incident.cause.is_none() && about(&incident.functions));
        let stops = || ledger.maintenance.iter().filter(|stop| about(&stop.functions));
        let mut links: Vec<(Span, Link)> = incidents
            .filter_map(|incident| {
                let end = incident.resolved_at.map_or(i64::MAX, Timestamp::as_second);
                let span = Span::new(incident.started_at.as_second(), end)?;
                Some((span, Link::Incident { id: incident.id.clone() }))
            })
            .collect();
        links.extend(
            stops().filter_map(|stop| Some((self.overrun(function, stop)?, Link::Overrun { id: stop.id.clone() }))),
        );
        links.extend(stops().filter_map(|stop| {
            let counted = Assessment::of(stop, self.input.contract).exclusion;
            let end = stop.finished_at.map_or(stop.end, |finished| finished.max(stop.end)).as_second();
            let span = Span::new(stop.start.as_second(), end)?;
            matches!(counted, Exclusion::NotAnnounced | Exclusion::ShortNotice(_))
                .then(|| (span, Link::Counted { id: stop.id.clone() }))
        }));
        links
    }

    /// From the announced end of an excluded maintenance whose end is not recorded: slots down without a break.
    fn overrun(&self, function: &str, stop: &Maintenance) -> Option<Span> {
        let excluded = Assessment::of(stop, self.input.contract).exclusion == Exclusion::Excluded;
        if !excluded || stop.finished_at.is_some() {
            return None;
        }
        let end = stop.end.as_second();
        let mut places = self.frame.clock.places(self.slots(function)).skip_while(|place| place.at <= end).peekable();
        // A month that begins later than the slot after the end knows nothing of it.
        places.peek().filter(|first| first.at - end <= STEP)?;
        Span::new(end, places.take_while(|place| place.up == Some(false)).last()?.at)
    }
}

fn follows(last: Option<i64>, place: Place) -> bool {
    last.is_some_and(|last| last + STEP == place.clock)
}
