//! `curiad history export`: every sample of a range, for spreadsheets and for Prometheus.

use crate::{
    cli::{ExportArgs, ExportFormat},
    commands::Asking,
    exit::{Failed, USAGE, of_file},
    terminal::Progress,
};
use domain::{ApiId, Environment, OperationId, TrackId, Verdict};
use jiff::{SignedDuration, Timestamp};
use status_page::rfc3339;
use std::io::{self, BufWriter, Write};
use store::{MAX_SAMPLES, Sample};

/// Read at a time: at one probe a second still less than one answer holds.
const STEP: SignedDuration = SignedDuration::from_hours(24);
/// What is exported when nothing is said.
const USUAL: SignedDuration = SignedDuration::from_hours(24);

pub(super) async fn run(arguments: &ExportArgs, asking: &Asking) -> Result<(), Failed> {
    let to = arguments.to.unwrap_or(asking.now);
    let from = arguments.from.unwrap_or(to - USUAL);
    if from >= to {
        return Err(Failed::new(USAGE, format!("the range is empty: it ends at {to}, and begins at {from}")));
    }
    let tracks = tracks(arguments, asking).await?;
    let mut export =
        Export { asking, progress: Progress::new(), out: BufWriter::new(io::stdout()), from, to };
    let ended = export.write(&tracks, arguments.format).await;
    export.progress.clear();
    match ended {
        // A reader who left (`curiad history export | head`) is no error.
        Err(Broken::Out(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(Broken::Out(error)) => Err(Failed::new(
            of_file(&error),
            format!("what is exported cannot be written: {error}\nsee where it is to go"),
        )),
        Err(Broken::Store(error)) => Err(error.into()),
        Ok(()) => Ok(()),
    }
}

/// Those that were asked for.
async fn tracks(arguments: &ExportArgs, asking: &Asking) -> Result<Vec<TrackId>, Failed> {
    let wrong = |error: domain::IdError| Failed::new(USAGE, error.to_string());
    let api = arguments.api.as_deref().map(ApiId::parse).transpose().map_err(wrong)?;
    let operation = arguments.operation.as_deref().map(OperationId::parse).transpose().map_err(wrong)?;
    let environment = match arguments.environment.as_deref() {
        None => None,
        Some(word) => Some(Environment::parse(word).ok_or_else(|| {
            let known = Environment::ALL.map(Environment::word).join(", ");
            Failed::new(USAGE, format!("there is no environment '{word}'\nit is one of {known}"))
        })?),
    };
    let mut tracks = asking.store.tracks().await?;
    tracks.retain(|track| {
        let check = &track.check;
        api.as_ref().is_none_or(|api| check.instance.api == *api)
            && environment.is_none_or(|environment| check.instance.environment == environment)
            && operation.as_ref().is_none_or(|operation| check.operation == *operation)
    });
    if tracks.is_empty() {
        return Err(Failed::new(
            USAGE,
            "nothing of that was ever measured\n`curiad history export --format csv | head` shows what was",
        ));
    }
    Ok(tracks)
}

enum Broken {
    Out(io::Error),
    Store(store::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Out(error)
    }
}

impl From<store::Error> for Broken {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

struct Export<'a> {
    asking: &'a Asking,
    progress: Progress,
    out: BufWriter<io::Stdout>,
    from: Timestamp,
    to: Timestamp,
}

impl Export<'_> {
    async fn write(&mut self, tracks: &[TrackId], format: ExportFormat) -> Result<(), Broken> {
        match format {
            ExportFormat::Csv => {
                writeln!(self.out, "api,environment,operation,vantage,at,verdict,connection,total_ms")?;
                self.each(tracks, csv).await?;
            }
            ExportFormat::Openmetrics => {
                // What one metric is of stands together; so the history is read twice rather than kept.
                writeln!(self.out, "# TYPE probe_success gauge")?;
                writeln!(
                    self.out,
                    "# HELP probe_success Whether the probe passed, slowly or not; absent where nothing could be told."
                )?;
                self.each(tracks, success).await?;
                writeln!(self.out, "# TYPE probe_duration_seconds gauge")?;
                writeln!(self.out, "# UNIT probe_duration_seconds seconds")?;
                writeln!(self.out, "# HELP probe_duration_seconds How long the probe took.")?;
                self.each(tracks, duration).await?;
                writeln!(self.out, "# EOF")?;
            }
        }
        Ok(self.out.flush()?)
    }

    async fn each(
        &mut self,
        tracks: &[TrackId],
        line: impl Fn(&mut dyn Write, &TrackId, &Sample) -> io::Result<()>,
    ) -> Result<(), Broken> {
        for (number, track) in tracks.iter().enumerate() {
            self.progress.show(&format!(
                "{} of {}: {} from {}",
                number + 1,
                tracks.len(),
                track.check,
                track.vantage
            ));
            let mut at = self.from;
            while at < self.to {
                let end = at.saturating_add(STEP).unwrap_or(self.to).min(self.to);
                let samples = self
                    .asking
                    .store
                    .samples(&track.check, Some(&track.vantage), at, end, MAX_SAMPLES)
                    .await?;
                for sample in &samples {
                    line(&mut self.out, track, sample)?;
                }
                at = end;
            }
        }
        Ok(())
    }
}

/// Names are of a–z, 0–9, '-', '_' and '.': nothing in them needs quotes.
fn csv(out: &mut dyn Write, track: &TrackId, sample: &Sample) -> io::Result<()> {
    let (check, connection) = (&track.check, if sample.warm { "kept" } else { "fresh" });
    writeln!(
        out,
        "{},{},{},{},{},{},{connection},{:.3}",
        check.instance.api,
        check.instance.environment.word(),
        check.operation,
        track.vantage,
        rfc3339(sample.at),
        sample.verdict.word(),
        sample.total.as_secs_f64() * 1000.0
    )
}

fn success(out: &mut dyn Write, track: &TrackId, sample: &Sample) -> io::Result<()> {
    let value = match sample.verdict {
        Verdict::Pass | Verdict::Slow => 1,
        Verdict::Fail => 0,
        Verdict::Inconclusive => return Ok(()),
    };
    series(out, "probe_success", track)?;
    writeln!(out, "{value} {}", seconds(sample.at))
}

fn duration(out: &mut dyn Write, track: &TrackId, sample: &Sample) -> io::Result<()> {
    series(out, "probe_duration_seconds", track)?;
    writeln!(out, "{} {}", sample.total.as_secs_f64(), seconds(sample.at))
}

/// The names and labels of `/metrics`, so that both are one series.
fn series(out: &mut dyn Write, name: &str, track: &TrackId) -> io::Result<()> {
    let (check, vantage) = (&track.check, &track.vantage);
    let (api, environment) = (&check.instance.api, check.instance.environment.word());
    let operation = &check.operation;
    write!(
        out,
        "{name}{{api=\"{api}\",environment=\"{environment}\",operation=\"{operation}\",vantage=\"{vantage}\"}} "
    )
}

fn seconds(at: Timestamp) -> String {
    let ms = at.as_millisecond();
    format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000))
}
