//! `journey: [ find: { get: …, capture: … }, … ]` and `clean_up`: several requests in a row, as data.

use super::{
    capture,
    checks::SHORT,
    expect,
    nearest::did_you_mean,
    openapi::Named,
    operation::{self, OperationDraft, Timing},
    problem::{Place, Problems, Rank},
    reading::{Reading, duration_text},
    redirects,
    section::Section,
    tree::{Key, Node, Value},
    way::{self, Way},
    writes::may_do_more,
};
use domain::{
    Capture, Dialect, Environment, Journey, JourneyStep, Kind, OperationId, Piece, Request, Source, pieces,
};
use std::{sync::Arc, time::Duration};

/// What the clean-up may take where nobody says.
const CLEAN_UP: Duration = Duration::from_secs(5);
const SHORTEST_CLEAN_UP: Duration = Duration::from_millis(100);
const LONGEST_CLEAN_UP: Duration = Duration::from_secs(60);

/// The keys of an operation that go with `journey` alone.
pub(super) struct Parts<'n> {
    clean_up: Option<&'n Node>,
    timeout: Option<(Duration, &'n Node)>,
    synthetic_node: Option<&'n Node>,
    pub(super) synthetic: bool,
}

/// Values, as far as one has read.
#[derive(Default)]
struct Values {
    captured: Vec<Captured>,
    /// Texts in which values are used, with what was captured before each.
    used: Vec<(String, Place, usize)>,
}

struct Captured {
    name: String,
    step: String,
    place: Place,
}

impl<'n> Parts<'n> {
    pub(super) fn read(section: &mut Section<'n>, reading: &mut Reading<'_>) -> Self {
        let clean_up = section.optional("clean_up", reading);
        let timeout = section.optional("clean_up_timeout", reading).and_then(|node| {
            let limits = SHORTEST_CLEAN_UP..=LONGEST_CLEAN_UP;
            Some((reading.duration(node, "the time to clean up", limits)?, node))
        });
        let synthetic_node = section.optional("synthetic", reading);
        let synthetic = synthetic_node.and_then(|node| reading.boolean(node)).unwrap_or(false);
        Self { clean_up, timeout, synthetic_node, synthetic }
    }

    /// Says with which ways they go, where this is another.
    pub(super) fn refuse(&self, way: Way, reading: &mut Reading<'_>) {
        let timeout = self.timeout.map(|(_, node)| node);
        let says_so = matches!(way, Way::Post | Way::Soap | Way::Tcp);
        let synthetic = self.synthetic_node.filter(|_| !says_so);
        let all = [
            ("clean_up", "'journey'", self.clean_up),
            ("clean_up_timeout", "'journey'", timeout),
            ("synthetic", "'journey', 'post', 'soap' and 'tcp'", synthetic),
        ];
        for (key, ways, node) in all {
            let Some(node) = node else { continue };
            let message = format!("'{key}' goes with {ways}, not with '{}'", way.word());
            reading.problems.error(Rank::Sense, &node.owner, message, None);
        }
    }

    /// Reads the steps; those that may write are added to `writes`.
    pub(super) fn journey(
        &self,
        node: &Node,
        (kind, document): (Option<Kind>, &Named),
        writes: &mut Vec<(Option<String>, Place)>,
        reading: &mut Reading<'_>,
    ) -> Journey {
        let mut values = Values::default();
        let mut names: Vec<String> = Vec::new();
        let mut all = |node, clean_up, reading: &mut Reading<'_>| {
            let items = reading.list_of_some(node, "steps").unwrap_or_default();
            let (most, what) = if clean_up {
                (Journey::MOST_CLEAN_UP, "a clean-up")
            } else {
                (Journey::MOST_STEPS, "a journey")
            };
            if let Some(first) = items.get(most) {
                reading.wrong(&first.place, format!("{what} has at most {most} steps, not {}", items.len()));
            }
            let mut steps = Vec::new();
            for item in items {
                let Some((key, node)) = name_and_step(item, reading) else { continue };
                let Some(name) = reading.name(key, OperationId::parse) else { continue };
                if names.iter().any(|known| known == name.as_str()) {
                    reading.wrong(&key.place, format!("there is another step called '{name}'"));
                }
                names.push(name.as_str().to_owned());
                steps.extend(step(
                    (&name, &key.place),
                    node,
                    (kind, clean_up, document),
                    (&mut values, writes),
                    reading,
                ));
            }
            steps
        };
        let steps = all(node, false, reading);
        let clean_up = self.clean_up.map(|node| all(node, true, reading)).unwrap_or_default();
        values.check(reading);
        if let (None, Some((_, node))) = (self.clean_up, self.timeout) {
            let message = "'clean_up_timeout' without 'clean_up'";
            reading.problems.error(Rank::Sense, &node.owner, message, None);
        }
        let clean_up_timeout = self.timeout.map_or(CLEAN_UP, |(timeout, _)| timeout);
        Journey { steps, clean_up, clean_up_timeout }
    }
}

/// The one entry of `find: { … }`.
fn name_and_step<'n>(item: &'n Node, reading: &mut Reading<'_>) -> Option<(&'n Key, &'n Node)> {
    if let Value::Map(entries) = &item.value
        && let [(key, node)] = entries.as_slice()
    {
        return Some((key, node));
    }
    let hint = Some("write '- find: { get: /… }'".to_owned());
    reading.problems.error(Rank::Shape, &item.place, "a step is its name, and under it what it does", hint);
    None
}

fn step(
    (name, place): (&OperationId, &Place),
    node: &Node,
    (kind, clean_up, document): (Option<Kind>, bool, &Named),
    (values, writes): (&mut Values, &mut Vec<(Option<String>, Place)>),
    reading: &mut Reading<'_>,
) -> Option<JourneyStep> {
    let mut section = Section::open(node, "a step", reading)?;
    let way = way::read(&mut section, ("a step", way::OF_STEPS), reading);
    let request = way.and_then(|(way, node)| way.request(node, reading));
    let has_body = way.is_none_or(|(way, _)| matches!(way, Way::Post | Way::Put));
    let goes = has_body.then_some(()).ok_or("only 'post' and 'put' have a body");
    let body_node = section.optional("body", reading);
    let body = body_node.and_then(|node| operation::body(node, goes, reading));
    let headers_node = section.optional("headers", reading);
    let headers = headers_node.map(|node| operation::headers(node, reading)).unwrap_or_default();
    let redirects = section.optional("redirects", reading).and_then(|node| redirects::read(node, reading));
    let expect_node = section.optional("expect", reading);
    let mut written = expect_node.and_then(|node| expect::read(node, reading)).unwrap_or_default();
    let timeout = Timing::setting(&mut section, "timeout", reading);
    let capture_node = section.optional("capture", reading);
    let captures = capture_node.map(|node| capture::read(node, reading)).unwrap_or_default();
    section.close(reading);
    if let Some(node) = capture_node.filter(|_| clean_up) {
        let message = "a step of the clean-up captures nothing: it must not depend on another";
        reading.problems.error(Rank::Sense, &node.owner, message, None);
    }
    let from_body = |capture: &Capture| !matches!(capture.source, Source::Header(_));
    let takes = captures.iter().any(|(_, capture)| capture.as_ref().is_some_and(from_body));
    if way.is_some_and(|(way, _)| way == Way::Head) {
        let expects = written.needs_body();
        let captures = capture_node.filter(|_| takes);
        for node in expect_node.filter(|_| expects).into_iter().chain(captures) {
            let hint = Some("use 'get'".to_owned());
            reading.problems.error(
                Rank::Sense,
                &node.owner,
                "an answer to HEAD has no body to look into",
                hint,
            );
        }
    }
    let before = values.captured.len();
    let known = |(key, _): &(&Key, Option<Capture>)| Captured {
        name: key.word.clone(),
        step: name.to_string(),
        place: key.place.clone(),
    };
    values.captured.extend(captures.iter().map(known));
    let (way, way_node) = way?;
    let Request::Http(mut http) = request? else { return None };
    for (name, _) in &headers {
        if http.headers.iter().any(|(set, _)| set.eq_ignore_ascii_case(name)) {
            let place = headers_node.map_or(place, |node| &node.owner);
            reading.wrong(place, format!("the header '{name}' is set by '{}'", way.word()));
        }
    }
    http.headers.extend(headers);
    http.body = http.body.take().or(body);
    http.redirects = redirects.unwrap_or_default();
    if way != Way::Head && http.dialect == Dialect::Plain {
        http.dialect = operation::dialect(kind, &http.path, false);
    }
    let request = Request::Http(http);
    if may_do_more(way, kind, &request, body_node.and_then(Node::as_word)) {
        writes.push((Some(name.to_string()), way_node.owner.clone()));
    }
    let Request::Http(http) = request else { return None };
    let body_place = body_node.map_or(&way_node.place, |node| &node.place);
    if let Some(body) = &http.body {
        let content_type = http.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if let Err(why) = prober::check_body(body, content_type.map(|(_, value)| value.as_str())) {
            reading.wrong(body_place, why);
        }
        values.used.push((body.clone(), body_place.clone(), before));
    }
    let reason = expect::read_as(http.dialect).or(takes.then_some("a value is captured from it"));
    written.check_size(reason, reading);
    if let Some(node) = written.schema.filter(|_| way != Way::Head) {
        let contract = document.contract(&http, &written.expect.status, node, reading);
        written.expect.contract = contract.map(Arc::new);
    }
    let expect = written.expect;
    let expect_place = expect_node.map_or(&way_node.place, |node| &node.place);
    values.used.extend(expect.words().map(|words| (words.to_owned(), expect_place.clone(), before)));
    values.used.push((http.path.clone(), way_node.place.clone(), before));
    let header_place = headers_node.map_or(&way_node.place, |node| &node.place);
    for (_, value) in &http.headers {
        values.used.push((value.clone(), header_place.clone(), before));
    }
    let captures = captures.into_iter().filter_map(|(_, capture)| capture).collect();
    let timeout = timeout.map(|placed| placed.value);
    Some(JourneyStep { name: name.to_string(), request: http, expect, captures, timeout })
}

impl Values {
    /// Says which values are captured twice, never used, or used where they are not known.
    fn check(&self, reading: &mut Reading<'_>) {
        for (at, one) in self.captured.iter().enumerate() {
            let first = self.captured.iter().take(at).find(|known| known.name == one.name);
            if let Some(first) = first {
                let message = format!("'{}' is captured twice: by the step '{}', too", one.name, first.step);
                reading.wrong(&one.place, message);
            }
            let name = Piece::Value(&one.name);
            if first.is_none() && !self.used.iter().any(|(text, ..)| pieces(text).contains(&name)) {
                reading.problems.warning(&one.place, format!("nothing uses the value '{}'", one.name), None);
            }
        }
        for (text, place, before) in &self.used {
            let mut said = Vec::new();
            for piece in pieces(text) {
                let Piece::Value(name) = piece else { continue };
                let at = self.captured.iter().position(|known| known.name == name);
                if name == Journey::UUID || at.is_some_and(|at| at < *before) || said.contains(&name) {
                    continue;
                }
                said.push(name);
                if let Some(later) = at.and_then(|at| self.captured.get(at)) {
                    let message =
                        format!("'{{{name}}}' is used before the step '{}' has captured it", later.step);
                    reading.problems.error(Rank::Sense, place, message, None);
                    continue;
                }
                let known = self.captured.iter().map(|known| known.name.as_str());
                let hint = did_you_mean(name, known)
                    .or_else(|| Some("a step before this one must capture it".to_owned()));
                let message = format!("unknown value '{{{name}}}'");
                reading.problems.error(Rank::Reference, place, message, hint);
            }
        }
    }
}

/// Says where the times of a journey do not fit each other.
pub(super) fn check_times(
    operation: &OperationDraft,
    journey: &Journey,
    (timeout, interval, place): (Duration, Duration, &Place),
    problems: &mut Problems,
) {
    let id = &operation.operation.id;
    let whole = timeout + journey.clean_up_timeout;
    // That the timeout alone is too long is said elsewhere.
    let said = timeout >= interval && interval >= SHORT;
    if !journey.clean_up.is_empty() && whole >= interval && !said {
        let message = format!(
            "the steps of '{id}' may take {}, and its clean-up {}: together that must be shorter than its interval {}",
            duration_text(timeout),
            duration_text(journey.clean_up_timeout),
            duration_text(interval)
        );
        problems.error(Rank::Sense, place, message, None);
    }
    let long = |step: &&JourneyStep| step.timeout.is_some_and(|own| own >= timeout);
    if let Some(step) = journey.steps.iter().find(long) {
        let message = format!(
            "the timeout of the step '{}' must be shorter than that of all of '{id}', {}",
            step.name,
            duration_text(timeout)
        );
        problems.error(Rank::Sense, &operation.place, message, None);
    }
}

/// Says what may write where nothing may without a word.
pub(super) fn check_writes(operation: &OperationDraft, environment: Environment, problems: &mut Problems) {
    if operation.synthetic || !matches!(environment, Environment::Production | Environment::Uat) {
        return;
    }
    for (step, place) in &operation.writes {
        let id = &operation.operation.id;
        let what =
            step.as_ref().map_or_else(|| format!("'{id}'"), |step| format!("the step '{step}' of '{id}'"));
        let message = format!("{what} may write in {environment}");
        let hint = Some(
            "choose the environments that use it ('operations'); or, if it only reads, or what it writes is about nobody \
             and may be written there, say 'synthetic: true'"
                .to_owned(),
        );
        problems.error(Rank::Sense, place, message, hint);
    }
}
