//! `curiad check --traffic`: what load each API gets, and from where.

use crate::terminal::{Ink, Terminal};
use domain::{ApiId, Check, Configuration, Environment, VantageId};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

const SECONDS_A_MINUTE: f64 = 60.0;
const SECONDS_A_DAY: f64 = 86_400.0;

/// The load on one instance from one vantage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Load {
    pub(crate) api: ApiId,
    pub(crate) environment: Environment,
    pub(crate) vantage: VantageId,
    /// Host, and port where one is written.
    pub(crate) host: String,
    #[serde(flatten)]
    pub(crate) rate: Rate,
}

/// How many probes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Rate {
    /// Checks that send them.
    pub(crate) checks: usize,
    /// Probes a second, by schedule.
    pub(crate) per_second: f64,
    /// Probes a second while all of them fail and are being confirmed, held to `max_rate`: the most there can be.
    pub(crate) worst_per_second: f64,
    /// Probes a day of APIs access to which is audited.
    pub(crate) audited_per_day: f64,
}

impl Rate {
    fn add(&mut self, other: Self) {
        self.checks += other.checks;
        self.per_second += other.per_second;
        self.worst_per_second += other.worst_per_second;
        self.audited_per_day += other.audited_per_day;
    }
}

/// All load that a configuration brings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Traffic {
    /// By API, environment and vantage.
    pub(crate) loads: Vec<Load>,
    /// By host.
    pub(crate) hosts: BTreeMap<String, Rate>,
    /// In all.
    pub(crate) total: Rate,
}

impl Traffic {
    /// What `configuration` brings.
    pub(crate) fn of(configuration: &Configuration) -> Self {
        let mut loads: BTreeMap<(ApiId, Environment, VantageId), Load> = BTreeMap::new();
        for check in configuration.checks.values().filter(|check| check.heartbeat().is_none()) {
            let instance = &check.id.instance;
            for vantage in &check.from {
                let key = (instance.api.clone(), instance.environment, vantage.clone());
                let load = loads.entry(key).or_insert_with(|| Load {
                    api: instance.api.clone(),
                    environment: instance.environment,
                    vantage: vantage.clone(),
                    host: host(&check.url),
                    rate: Rate::default(),
                });
                load.rate.add(rate(configuration, check));
                if let Some(apart) = check.apart {
                    let most = often(apart) * requests(check);
                    load.rate.worst_per_second = load.rate.worst_per_second.min(most);
                }
            }
        }
        let loads: Vec<Load> = loads.into_values().collect();
        let mut hosts: BTreeMap<String, Rate> = BTreeMap::new();
        let mut total = Rate::default();
        for load in &loads {
            hosts.entry(load.host.clone()).or_default().add(load.rate);
            total.add(load.rate);
        }
        Self { loads, hosts, total }
    }

    /// Two tables for people: by API, and by host.
    pub(crate) fn table(&self, terminal: Terminal) -> String {
        let mut rows = vec![Row::head(["API", "environment", "from", "host"])];
        rows.extend(self.loads.iter().map(|load| {
            let environment = load.environment.to_string();
            Row::new([load.api.as_str(), &environment, load.vantage.as_str(), &load.host], load.rate)
        }));
        rows.push(Row::new(["in all", "", "", ""], self.total));
        let mut hosts = vec![Row::head(["host", "", "", ""])];
        hosts.extend(self.hosts.iter().map(|(host, rate)| Row::new([host, "", "", ""], *rate)));
        format!(
            "{}\n{}\nProbes a minute: by schedule, and at worst, while everything fails and is confirmed.\n",
            laid_out(&rows, terminal),
            laid_out(&hosts, terminal)
        )
    }
}

/// What one check sends from one vantage.
fn rate(configuration: &Configuration, check: &Check) -> Rate {
    let per_second = often(check.every) * requests(check);
    let confirm = configuration.policy(check.id.instance.environment).map(|policy| policy.confirm);
    // A round goes on beside the schedule.
    let confirming = confirm
        .filter(|confirm| confirm.of > 1)
        .map_or(0.0, |confirm| often(confirm.every) * requests(check));
    let audited = configuration.apis.get(&check.id.instance.api).is_some_and(|api| api.sensitive);
    Rate {
        checks: 1,
        per_second,
        worst_per_second: per_second + confirming,
        audited_per_day: if audited { per_second * SECONDS_A_DAY } else { 0.0 },
    }
}

/// A journey is as many probes as it has requests, and so is what follows redirects.
fn requests(check: &Check) -> f64 {
    f64::from(check.operation.request.requests())
}

fn often(every: Duration) -> f64 {
    1.0 / every.max(Duration::from_millis(1)).as_secs_f64()
}

fn host(url: &str) -> String {
    let Ok(url) = url::Url::parse(url) else { return url.to_owned() };
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Words, then figures.
struct Row([String; 8]);

/// How many of the columns are words.
const WORDS: usize = 4;

impl Row {
    fn head(words: [&str; WORDS]) -> Self {
        let [a, b, c, d] = words;
        Self([a, b, c, d, "checks", "a minute", "at worst", "audited a day"].map(str::to_owned))
    }

    fn new(words: [&str; WORDS], rate: Rate) -> Self {
        let [a, b, c, d] = words.map(str::to_owned);
        let audited =
            if rate.audited_per_day > 0.0 { thousands(rate.audited_per_day) } else { "–".to_owned() };
        let minute = |per_second: f64| {
            let minute = per_second * SECONDS_A_MINUTE;
            if minute >= 1_000.0 { thousands(minute) } else { format!("{minute:.1}") }
        };
        let (often, worst) = (minute(rate.per_second), minute(rate.worst_per_second));
        Self([a, b, c, d, rate.checks.to_string(), often, worst, audited])
    }
}

/// `12,345`.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Columns aligned: words to the left, figures to the right. A column without a word is left out.
fn laid_out(rows: &[Row], terminal: Terminal) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.0.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..8).map(width).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let cells = row.0.iter().zip(&widths).enumerate().filter(|(_, (_, width))| **width > 0);
        let cells =
            cells.map(
                |(column, (cell, width))| {
                    if column < WORDS { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            );
        let line = cells.collect::<Vec<_>>().join("  ");
        let line = line.trim_end();
        text += &if number == 0 { terminal.ink(Ink::Bold, line) } else { line.to_owned() };
        text.push('\n');
    }
    text
}
