//! The ledger's entries as the report tells them.

use jiff::tz::TimeZone;
use jiff::{Span as CalendarSpan, Timestamp};

use super::{Context, Made, sum};
use crate::ledger::{Advisory, AdvisoryDecision, Assessment, Cause, Channel, Exclusion, Incident, Maintenance, Notice};
use crate::report::model::{
    AdvisoryReport, CauseKind, DecisionReport, DrillReport, ExclusionKind, IncidentFunction, IncidentReport, Link,
    MaintenanceFunction, MaintenanceReport, NoticeReport, Sender, SlotCount, UpdateReport, UpstreamHead,
};
use crate::span::Span;
use crate::windows::Reason;

impl Context<'_> {
    /// Those that have a second in the month.
    pub(super) fn incidents(&self, functions: &[Made]) -> Vec<IncidentReport> {
        let all = self.input.ledger.incidents.iter();
        let mut incidents: Vec<_> = all.filter_map(|incident| self.incident(incident, functions)).collect();
        incidents.sort_by_key(|incident| incident.started_at);
        incidents
    }

    fn incident(&self, incident: &Incident, functions: &[Made]) -> Option<IncidentReport> {
        let started_at = incident.started_at.as_second();
        let resolved_at = incident.resolved_at.map(Timestamp::as_second);
        let end = resolved_at.unwrap_or(self.frame.now).min(self.frame.now);
        let span = Span::new(started_at, end)?.clip(self.frame.month)?;
        let notices = self.notices(&incident.id, &incident.notices);
        let upstream = match &incident.cause {
            Some(Cause::Upstream(name)) => {
                let known = self.input.contract.upstreams.iter().find(|upstream| upstream.name == *name);
                let title = known.map(|upstream| upstream.title.clone()).unwrap_or_default();
                Some(UpstreamHead { name: name.clone(), title })
            }
            _ => None,
        };
        Some(IncidentReport {
            id: incident.id.clone(),
            title: incident.title.clone(),
            functions: incident
                .functions
                .iter()
                .filter_map(|name| functions.iter().find(|made| made.report.name == *name))
                .map(|made| self.incident_function(incident, span, made))
                .collect(),
            cause: incident.cause.as_ref().map(|cause| match cause {
                Cause::Internal => CauseKind::Internal,
                Cause::Upstream(_) => CauseKind::Upstream,
                Cause::ForceMajeure => CauseKind::ForceMajeure,
                Cause::FalseAlarm => CauseKind::FalseAlarm,
            }),
            upstream,
            started_at,
            resolved_at,
            seconds_in_month: span.seconds(),
            decided: incident.decided.as_ref().map(|decision| DecisionReport {
                by: decision.by.clone(),
                at: decision.at.as_second(),
                evidence: decision.evidence.clone(),
            }),
            first_report_seconds: notices.first().map(|first| first.at - started_at),
            notices,
            updates: incident
                .updates
                .iter()
                .map(|update| UpdateReport {
                    at: update.at.as_second(),
                    status: update.status,
                    text: update.text.clone(),
                })
                .collect(),
        })
    }

    fn incident_function(&self, incident: &Incident, span: Span, made: &Made) -> IncidentFunction {
        let mut slots = SlotCount::default();
        for place in self.frame.clock.places(&made.report.slots).filter(|place| span.holds_slot(place.at)) {
            match place.up {
                Some(true) => slots.up += 1,
                Some(false) => slots.down += 1,
                None => slots.unmeasured += 1,
            }
        }
        IncidentFunction {
            function: made.report.name.clone(),
            downtime_seconds: made.shares.seconds(&incident.id, &[Reason::Internal]),
            excluded_seconds: made.shares.seconds(&incident.id, &[Reason::Upstream, Reason::ForceMajeure]),
            unjudged_downtime_seconds: sum(
                &made.report.unexplained,
                |link| matches!(link, Link::Incident { id } if *id == incident.id),
            ),
            slots,
        }
    }

    /// That which has a second in the month.
    pub(super) fn maintenance(&self, functions: &[Made]) -> Vec<MaintenanceReport> {
        let all = self.input.ledger.maintenance.iter();
        let mut stops: Vec<_> = all.filter_map(|stop| self.stop(stop, functions)).collect();
        stops.sort_by_key(|stop| stop.start);
        stops
    }

    fn stop(&self, stop: &Maintenance, functions: &[Made]) -> Option<MaintenanceReport> {
        let last = stop.finished_at.map_or(stop.end, |finished| finished.max(stop.end));
        Span::new(stop.start.as_second(), last.as_second())?.clip(self.frame.month)?;
        let assessment = Assessment::of(stop, self.input.contract);
        Some(MaintenanceReport {
            id: stop.id.clone(),
            title: stop.title.clone(),
            text: stop.text.clone(),
            functions: stop
                .functions
                .iter()
                .filter_map(|name| functions.iter().find(|made| made.report.name == *name))
                .map(|made| self.stop_function(stop, made))
                .collect(),
            emergency: stop.emergency,
            announced_at: stop.announced_at.map(Timestamp::as_second),
            start: stop.start.as_second(),
            end: stop.end.as_second(),
            finished_at: stop.finished_at.map(Timestamp::as_second),
            cancelled_at: stop.cancelled_at.map(Timestamp::as_second),
            notice_seconds: assessment.notice,
            notice_kept: assessment.notice_kept,
            slot_kept: assessment.slot_kept,
            exclusion: match assessment.exclusion {
                Exclusion::Excluded => ExclusionKind::Excluded,
                Exclusion::Cancelled => ExclusionKind::Cancelled,
                Exclusion::NotAnnounced => ExclusionKind::NotAnnounced,
                Exclusion::ShortNotice(_) => ExclusionKind::ShortNotice,
            },
            stop_seconds: Assessment::stop_seconds(stop),
            notices: self.notices(&stop.id, &stop.notices),
        })
    }

    fn stop_function(&self, stop: &Maintenance, made: &Made) -> MaintenanceFunction {
        let promised = self.input.contract.functions.iter().find(|function| function.name == made.report.name);
        let linked = |overrun: bool| {
            sum(&made.report.unexplained, |link| match link {
                Link::Overrun { id } => overrun && *id == stop.id,
                Link::Counted { id } => !overrun && *id == stop.id,
                Link::Incident { .. } => false,
            })
        };
        MaintenanceFunction {
            function: made.report.name.clone(),
            limit_seconds: made.report.maintenance_limit_seconds,
            limit_kept: promised.is_none_or(|function| Assessment::limit_kept(stop, function)),
            excluded_seconds: made.shares.seconds(&stop.id, &[Reason::Planned]),
            overrun_judged_seconds: made.shares.seconds(&stop.id, &[Reason::Overrun]),
            overrun_measured_seconds: linked(true),
            counted_downtime_seconds: linked(false),
        }
    }

    /// By hand and by the exporter, by time.
    fn notices(&self, entry: &str, by_hand: &[Notice]) -> Vec<NoticeReport> {
        let by_hand = by_hand.iter().map(|notice| NoticeReport {
            at: notice.at.as_second(),
            channel: notice.channel,
            sender: Sender::Ledger,
        });
        let sent = self.input.sent.iter().filter(|sent| sent.entry == entry).map(|sent| NoticeReport {
            at: sent.at,
            channel: Channel::Mail,
            sender: Sender::Exporter,
        });
        let mut notices: Vec<_> = by_hand.chain(sent).collect();
        notices.sort_by_key(|notice| notice.at);
        notices
    }

    /// Those in the month.
    pub(super) fn drills(&self) -> Vec<DrillReport> {
        let month = self.frame.month;
        let all = self.input.ledger.drills.iter();
        let mut drills: Vec<_> = all
            .map(|drill| DrillReport { at: drill.at.as_second(), text: drill.text.clone() })
            .filter(|drill| (month.start()..month.end()).contains(&drill.at))
            .collect();
        drills.sort_by_key(|drill| drill.at);
        drills
    }

    /// Published before the month's end, and not settled before its start.
    pub(super) fn advisories(&self) -> Vec<AdvisoryReport> {
        let month = self.frame.month;
        let concerns = |advisory: &&Advisory| {
            let published = advisory.published_at.as_second();
            let settled = match advisory.decision {
                Some(AdvisoryDecision::NotApplicable) => published < month.start(),
                _ => advisory.applied_at.is_some_and(|at| at.as_second() < month.start()),
            };
            published < month.end() && !settled
        };
        let zone = &self.input.contract.timezone;
        let all = self.input.ledger.advisories.iter().filter(concerns);
        let mut advisories: Vec<_> = all
            .map(|advisory| AdvisoryReport {
                id: advisory.id.clone(),
                component: advisory.component.clone(),
                published_at: advisory.published_at.as_second(),
                due_at: due(advisory.published_at, zone),
                decision: advisory.decision,
                applied_at: advisory.applied_at.map(Timestamp::as_second),
            })
            .collect();
        advisories.sort_by_key(|advisory| advisory.published_at);
        advisories
    }
}

/// When what was `published` is normally applied (C2.6.8): one calendar month later.
pub(super) fn due(published: Timestamp, zone: &TimeZone) -> i64 {
    let later = published.to_zoned(zone.clone()).checked_add(CalendarSpan::new().months(1));
    later.map_or(i64::MAX, |later| later.timestamp().as_second())
}
