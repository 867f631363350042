//! The tables: their columns and rows.

use super::{Rows, cell, moment, text, word};
use crate::report::model::{FunctionReport, Link, NoticeReport, Origin};
use crate::report::rounding;

pub(super) type Written = Result<(), csv::Error>;

impl Rows<'_> {
    pub(super) fn head(&mut self, columns: &[&str]) -> Written {
        self.rows.write_record([&["contract", "month", "function"], columns].concat())
    }

    /// A row about `function`. Cells of people's texts went through [`text`].
    pub(super) fn row(&mut self, function: &str, cells: Vec<String>) -> Written {
        let first = [text(&self.report.contract.name), self.report.month.to_string(), text(function)];
        self.rows.write_record(first.into_iter().chain(cells))
    }

    pub(super) fn figures(&mut self) -> Written {
        self.head(&[
            "title",
            "figure",
            "objective",
            "outcome",
            "status",
            "availability",
            "availability_percent",
            "availability_lower",
            "availability_lower_percent",
            "availability_to_date",
            "calendar_seconds",
            "excluded_planned_seconds",
            "excluded_upstream_seconds",
            "excluded_force_majeure_seconds",
            "service_seconds",
            "elapsed_service_seconds",
            "downtime_seconds",
            "judged_downtime_seconds",
            "measured_downtime_seconds",
            "overrun_judged_seconds",
            "overrun_measured_seconds",
            "up_seconds",
            "unmeasured_seconds",
            "allowed_downtime_seconds",
            "budget_remaining_seconds",
        ])?;
        let state = word(&self.report.status.state);
        for function in &self.report.functions {
            let FunctionReport { measured, provisional, adjudicated, objective, overrun, .. } = function;
            for (name, figures) in [("provisional", provisional), ("measured", measured), ("adjudicated", adjudicated)]
            {
                let headline = name == "provisional";
                let only = |cell: String| if headline { cell } else { String::new() };
                let mut cells = vec![
                    text(function.title.of(self.lang)),
                    name.to_owned(),
                    objective.to_string(),
                    only(word(&function.outcome)),
                    only(state.clone()),
                    cell(figures.availability),
                    cell(rounding::availability(figures, *objective)),
                    cell(figures.availability_lower),
                    cell(rounding::availability_lower(figures, *objective)),
                    cell(figures.availability_to_date),
                ];
                let excluded = figures.excluded;
                cells.extend(
                    [
                        figures.calendar_seconds,
                        excluded.planned_seconds,
                        excluded.upstream_seconds,
                        excluded.force_majeure_seconds,
                        figures.service_seconds,
                        figures.elapsed_service_seconds,
                        figures.downtime_seconds,
                        figures.judged_downtime_seconds,
                        figures.measured_downtime_seconds,
                    ]
                    .map(|seconds| seconds.to_string()),
                );
                cells.extend([overrun.judged_seconds, overrun.measured_seconds].map(|part| only(part.to_string())));
                cells.extend(
                    [figures.up_seconds, figures.unmeasured_seconds, figures.allowed_downtime_seconds]
                        .map(|seconds| seconds.to_string()),
                );
                cells.push(cell(figures.budget_remaining_seconds));
                self.row(&function.name, cells)?;
            }
        }
        Ok(())
    }

    pub(super) fn incidents(&mut self) -> Written {
        self.head(&[
            "id",
            "title",
            "cause",
            "upstream",
            "started_at",
            "resolved_at",
            "seconds_in_month",
            "downtime_seconds",
            "excluded_seconds",
            "unjudged_downtime_seconds",
            "slots_up",
            "slots_down",
            "slots_unmeasured",
            "decided_by",
            "decided_at",
            "evidence",
            "first_report_seconds",
            "notices",
        ])?;
        for incident in &self.report.incidents {
            let decided = incident.decided.as_ref();
            for of in &incident.functions {
                let cells = vec![
                    text(&incident.id),
                    text(incident.title.of(self.lang)),
                    incident.cause.as_ref().map(word).unwrap_or_default(),
                    text(incident.upstream.as_ref().map_or("", |upstream| &upstream.name)),
                    moment(incident.started_at),
                    incident.resolved_at.map(moment).unwrap_or_default(),
                    incident.seconds_in_month.to_string(),
                    of.downtime_seconds.to_string(),
                    of.excluded_seconds.to_string(),
                    of.unjudged_downtime_seconds.to_string(),
                    of.slots.up.to_string(),
                    of.slots.down.to_string(),
                    of.slots.unmeasured.to_string(),
                    text(decided.map_or("", |decision| &decision.by)),
                    decided.map(|decision| moment(decision.at)).unwrap_or_default(),
                    text(decided.map_or("", |decision| decision.evidence.of(self.lang))),
                    cell(incident.first_report_seconds),
                    self.notices(&incident.notices),
                ];
                self.row(&of.function, cells)?;
            }
        }
        Ok(())
    }

    pub(super) fn maintenance(&mut self) -> Written {
        self.head(&[
            "id",
            "title",
            "emergency",
            "announced_at",
            "start",
            "end",
            "finished_at",
            "cancelled_at",
            "notice_seconds",
            "notice_kept",
            "slot_kept",
            "limit_seconds",
            "limit_kept",
            "stop_seconds",
            "exclusion",
            "excluded_seconds",
            "overrun_judged_seconds",
            "overrun_measured_seconds",
            "counted_downtime_seconds",
            "notices",
        ])?;
        for stop in &self.report.maintenance {
            for of in &stop.functions {
                let cells = vec![
                    text(&stop.id),
                    text(stop.title.of(self.lang)),
                    stop.emergency.to_string(),
                    stop.announced_at.map(moment).unwrap_or_default(),
                    moment(stop.start),
                    moment(stop.end),
                    stop.finished_at.map(moment).unwrap_or_default(),
                    stop.cancelled_at.map(moment).unwrap_or_default(),
                    cell(stop.notice_seconds),
                    stop.notice_kept.to_string(),
                    stop.slot_kept.to_string(),
                    cell(of.limit_seconds),
                    of.limit_kept.to_string(),
                    stop.stop_seconds.to_string(),
                    word(&stop.exclusion),
                    of.excluded_seconds.to_string(),
                    of.overrun_judged_seconds.to_string(),
                    of.overrun_measured_seconds.to_string(),
                    of.counted_downtime_seconds.to_string(),
                    self.notices(&stop.notices),
                ];
                self.row(&of.function, cells)?;
            }
        }
        Ok(())
    }

    pub(super) fn unexplained(&mut self) -> Written {
        self.head(&["start", "end", "seconds", "link", "entry"])?;
        for function in &self.report.functions {
            for stretch in &function.unexplained {
                let kind = stretch.link.as_ref().map_or("", |link| match link {
                    Link::Incident { .. } => "incident",
                    Link::Overrun { .. } => "overrun",
                    Link::Counted { .. } => "counted",
                });
                let cells = vec![
                    moment(stretch.start),
                    moment(stretch.end),
                    stretch.seconds.to_string(),
                    kind.to_owned(),
                    text(stretch.link.as_ref().map_or("", Link::id)),
                ];
                self.row(&function.name, cells)?;
            }
        }
        Ok(())
    }

    pub(super) fn gaps(&mut self) -> Written {
        self.head(&["start", "end", "seconds"])?;
        for function in &self.report.functions {
            for gap in &function.gaps {
                self.row(&function.name, vec![moment(gap.start), moment(gap.end), gap.seconds.to_string()])?;
            }
        }
        Ok(())
    }

    pub(super) fn slots(&mut self) -> Written {
        self.head(&["at", "up"])?;
        for function in &self.report.functions {
            for slot in &function.slots {
                self.row(&function.name, vec![moment(slot.at), u8::from(slot.up).to_string()])?;
            }
        }
        Ok(())
    }

    pub(super) fn windows(&mut self) -> Written {
        self.head(&["entry", "effect", "reason", "start", "end"])?;
        for function in &self.report.functions {
            for window in &function.windows {
                let cells = vec![
                    text(&window.entry),
                    window.reason.effect().word().to_owned(),
                    window.reason.word().to_owned(),
                    moment(window.start),
                    window.end.map(moment).unwrap_or_default(),
                ];
                self.row(&function.name, cells)?;
            }
        }
        Ok(())
    }

    pub(super) fn year(&mut self) -> Written {
        // The first column of a row is the report's month.
        self.head(&[
            "of_month",
            "origin",
            "revision",
            "objective",
            "outcome",
            "availability",
            "availability_percent",
            "availability_lower",
            "availability_lower_percent",
            "service_seconds",
            "downtime_seconds",
            "unmeasured_seconds",
        ])?;
        for function in &self.report.functions {
            for month in &function.year {
                let percent = |known: Option<f64>, downtime| {
                    known.and_then(|_| rounding::percent(month.service_seconds, downtime, function.objective))
                };
                let down = month.downtime_seconds;
                let (origin, revision) = match month.origin {
                    Origin::Report => ("report", self.report.revision),
                    Origin::Recorded => ("recorded", None),
                    Origin::Closed { revision } => ("closed", Some(revision)),
                };
                let cells = vec![
                    month.month.to_string(),
                    origin.to_owned(),
                    cell(revision),
                    function.objective.to_string(),
                    word(&month.outcome),
                    cell(month.availability),
                    cell(percent(month.availability, down)),
                    cell(month.availability_lower),
                    cell(percent(month.availability_lower, down + month.unmeasured_seconds)),
                    month.service_seconds.to_string(),
                    down.to_string(),
                    month.unmeasured_seconds.to_string(),
                ];
                self.row(&function.name, cells)?;
            }
        }
        Ok(())
    }

    fn notices(&self, notices: &[NoticeReport]) -> String {
        let each = |notice: &NoticeReport| format!("{} {}", moment(notice.at), notice.channel.word());
        notices.iter().map(each).collect::<Vec<_>>().join("; ")
    }
}
