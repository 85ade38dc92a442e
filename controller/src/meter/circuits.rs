//! The meters of circuits: what hangs behind a fuse of its own and is measured there.

use futures_util::future::select_all;
use headroom_core::Instant;
use headroom_core::config::Site;
use headroom_core::snapshot::Alarm;
use headroom_meter_io::{Meter, MeterReading, Place, Settings, Source};

/// The meters that are read beside the main one.
#[derive(Default)]
pub(crate) struct CircuitMeters(Vec<CircuitMeter>);

struct CircuitMeter {
    circuit: String,
    source: String,
    meter: Meter,
    /// The last reading, or when it began to be read.
    heard: Instant,
}

impl CircuitMeters {
    /// Reads what is configured now. A source that stays the same stays open.
    pub(crate) fn configure(&mut self, site: &Site, now: Instant) {
        let wanted = |circuit: &str, source: &str| {
            let mut circuits = site.circuits.iter();
            circuits.any(|it| it.id == circuit && it.meter.as_deref() == Some(source))
        };
        // Nobody reads a port twice.
        self.0.retain(|it| wanted(&it.circuit, &it.source));
        for circuit in &site.circuits {
            let place = Place {
                grid: site.grid,
                main_fuse: Some(circuit.rating_a.per_phase()),
            };
            if let Some(known) = self.0.iter().find(|it| it.circuit == circuit.id) {
                known.meter.place(place);
                continue;
            }
            let Some(text) = &circuit.meter else {
                continue;
            };
            match Source::parse(text) {
                Ok(source) => self.0.push(CircuitMeter {
                    circuit: circuit.id.clone(),
                    source: text.clone(),
                    meter: headroom_meter_io::start(
                        source,
                        Settings {
                            place,
                            ..Settings::default()
                        },
                    ),
                    heard: now,
                }),
                Err(error) => tracing::error!(
                    circuit = circuit.id,
                    "the meter of a circuit cannot be read, nothing is raised there: {error}"
                ),
            }
        }
    }

    /// The next reading of any of them, named after its circuit; never, if nothing is read. Cancel-safe.
    pub(crate) async fn next(&self) -> MeterReading {
        if self.0.is_empty() {
            return std::future::pending().await;
        }
        let each = self.0.iter().map(|it| {
            Box::pin(async {
                let mut reading = it.meter.next().await;
                reading.reading.circuit = Some(it.circuit.clone());
                reading
            })
        });
        select_all(each).await.0
    }

    /// Takes note that a circuit was heard.
    pub(crate) fn heard(&mut self, circuit: Option<&str>, at: Instant) {
        let mut all = self.0.iter_mut();
        if let Some(it) = all.find(|it| Some(it.circuit.as_str()) == circuit) {
            it.heard = at;
        }
    }

    /// Those that have given nothing for so long, with what their source says.
    pub(crate) fn silent(&self, now: Instant, lost_ms: u64) -> impl Iterator<Item = Alarm> {
        let silent = self
            .0
            .iter()
            .filter(move |it| now.since_ms(it.heard) >= lost_ms);
        silent.map(|it| Alarm {
            code: "circuit_meter".to_owned(),
            load: None,
            since: it.heard,
            text: format!(
                "The meter of circuit {} gives no readings, so that nothing is known of its fuse: what hangs on it gets no \
                 current. {}",
                it.circuit,
                it.meter.status().borrow().text
            ),
        })
    }
}
