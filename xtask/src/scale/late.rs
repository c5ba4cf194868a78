//! What the gateways keep of traces that show an error or are slow only after the decision.

use std::fmt;

use super::shares::{decisions, settled};
use super::tiers::Tiers;
use super::traces::{Kind, SPANS, Trace, send_half};
use super::{Error, client};

/// The traces of each kind.
const TRACES: usize = 200;
/// Traces between the decision and the late spans: a gateway remembers a dropped trace until it drops another one.
const BETWEEN: usize = 50;
/// The kinds, and the service of which the spans come first, and show nothing.
const FIRST: [(Kind, usize); 2] = [(Kind::Error, 0), (Kind::Long, 1)];

/// Traces of one kind, of which one service sent its spans before the decision, and the other one after it.
#[derive(Debug, Clone, Copy)]
pub struct Late {
    /// Their kind.
    pub kind: Kind,
    /// How many were sent.
    pub sent: usize,
    /// How many the share of others kept at the first decision.
    pub kept_first: usize,
    /// How many are in Jaeger with all spans: those of the first decision.
    pub whole: usize,
    /// How many are in Jaeger with the spans that came late alone.
    pub late_alone: usize,
}

impl Late {
    /// Returns what is wrong: late spans are lost, or separated from earlier ones that were kept.
    pub fn problem(&self) -> Option<String> {
        let right = self.kept_first > 0
            && self.kept_first < self.sent
            && self.whole == self.kept_first
            && self.whole + self.late_alone == self.sent;
        (!right).then(|| format!("late spans are lost: {self:?}"))
    }
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = match self.kind {
            Kind::Error => "an error",
            _ => "a slow span",
        };
        write!(
            f,
            "{} traces with {shown} after the decision: {} kept whole, of {} the late spans",
            self.sent, self.whole, self.late_alone
        )
    }
}

/// Sends the spans of one service, waits for the decision, and sends those of the other service.
pub fn run(tiers: &Tiers, random: &mut fastrand::Rng) -> Result<[Late; 2], Error> {
    let sent = FIRST.map(|(kind, _)| Trace::many(kind, TRACES, random));
    let (client, receivers) = (client(), tiers.receivers());
    let send = |late: bool| -> Result<(), Error> {
        for (traces, (_, first)) in sent.iter().zip(FIRST) {
            let service = if late { 1 - first } else { first };
            send_half(&client, traces, service, &receivers[service])?;
        }
        Ok(())
    };
    let mut decided = decisions(tiers, &[])?;
    send(false)?;
    decided += FIRST.len() * TRACES;
    let (_, first) = settled(tiers, decided)?;
    let kept_first = |traces: &[Trace]| traces.iter().filter(|it| first.of(it) > 0).count();
    tiers.send(&Trace::many(Kind::Rest, BETWEEN, random))?;
    decided += BETWEEN;
    settled(tiers, decided)?;
    send(true)?;
    // Late spans of a kept trace need no decision.
    let undecided = sent.iter().map(|traces| TRACES - kept_first(traces));
    let (_, stored) = settled(tiers, decided + undecided.sum::<usize>())?;
    Ok([0, 1].map(|place| {
        let traces = &sent[place];
        let with = |spans: usize| traces.iter().filter(|it| stored.of(it) == spans).count();
        Late {
            kind: FIRST[place].0,
            sent: TRACES,
            kept_first: kept_first(traces),
            whole: with(SPANS),
            late_alone: with(SPANS / 2),
        }
    }))
}
