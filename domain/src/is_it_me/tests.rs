use super::*;
use crate::{
    ApiId, Environment, Failure,
    FailureKind::{self, *},
    InstanceId, OperationId, Outcome, VantageId,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn outcome(second: i64, verdict: Verdict, failure: Option<(Layer, FailureKind)>) -> OurOutcome {
    let instance = InstanceId { api: ApiId::parse("results").unwrap(), environment: Environment::Production };
    let check = CheckId { instance, operation: OperationId::parse("read").unwrap() };
    let mut outcome = Outcome::new(check, VantageId::parse("internet").unwrap(), at(second));
    outcome.failure = failure.map(|(layer, kind)| Failure { layer, kind, message: String::new() });
    OurOutcome::of(&outcome.check, &Glance::from(&outcome), verdict)
}

fn ours(verdict: Verdict, failure: Option<(Layer, FailureKind)>) -> OurOutcome {
    outcome(0, verdict, failure)
}

fn good() -> OurOutcome {
    ours(Verdict::Pass, None)
}

fn slow() -> OurOutcome {
    ours(Verdict::Slow, None)
}

fn down() -> OurOutcome {
    ours(Verdict::Fail, Some((Layer::Backend, ServerError)))
}

fn refused() -> OurOutcome {
    ours(Verdict::Inconclusive, Some((Layer::Gateway, AccessRefused)))
}

fn no_token() -> OurOutcome {
    ours(Verdict::Fail, Some((Layer::Token, TokenUnreachable)))
}

fn blind() -> OurOutcome {
    ours(Verdict::Inconclusive, Some((Layer::Ours, NoNetwork)))
}

/// What the caller saw, what we saw, and the likely cause on either side.
type Row = (Option<CallerSaw>, Vec<OurOutcome>, (Option<Yours>, Option<Theirs>));

#[test]
fn the_likely_cause_follows_from_what_the_caller_saw_and_what_we_saw() {
    use CallerSaw::{NoConnection, Status, Timeout};
    let fails = Some(Theirs::Fails(ErrorClass::ServerError));
    let rows: [Row; 31] = [
        (None, vec![good()], (None, None)),
        (None, vec![slow()], (None, Some(Theirs::Slow))),
        (None, vec![good(), down()], (None, fails)),
        (None, vec![refused()], (None, Some(Theirs::RefusesUsToo))),
        (None, vec![], (None, None)),
        (Some(Status(200)), vec![good()], (None, None)),
        (Some(Status(200)), vec![down()], (None, fails)),
        (Some(Status(401)), vec![good()], (Some(Yours::Credential), None)),
        (Some(Status(401)), vec![slow()], (Some(Yours::Credential), None)),
        (Some(Status(401)), vec![refused()], (None, Some(Theirs::RefusesUsToo))),
        (Some(Status(401)), vec![good(), refused()], (Some(Yours::Credential), None)),
        (Some(Status(401)), vec![no_token()], (None, Some(Theirs::Fails(ErrorClass::NoToken)))),
        (Some(Status(401)), vec![down()], (Some(Yours::Credential), fails)),
        (Some(Status(401)), vec![], (Some(Yours::Credential), None)),
        (Some(Status(401)), vec![blind()], (Some(Yours::Credential), None)),
        (Some(Status(403)), vec![good()], (Some(Yours::Access), None)),
        (Some(Status(403)), vec![refused()], (None, Some(Theirs::RefusesUsToo))),
        (Some(Status(404)), vec![good()], (Some(Yours::Request), None)),
        (Some(Status(400)), vec![refused()], (Some(Yours::Request), None)),
        (Some(Status(407)), vec![good()], (Some(Yours::Proxy), None)),
        (Some(Status(429)), vec![good()], (Some(Yours::Rate), None)),
        (Some(Status(429)), vec![refused()], (None, Some(Theirs::RefusesUsToo))),
        (Some(Status(503)), vec![down()], (None, fails)),
        (Some(Status(503)), vec![good()], (None, Some(Theirs::OnlySome))),
        (Some(Status(503)), vec![], (None, None)),
        (Some(Timeout), vec![good()], (Some(Yours::Network), None)),
        (Some(Timeout), vec![good(), slow()], (None, Some(Theirs::Slow))),
        (Some(Timeout), vec![down(), good()], (None, fails)),
        (Some(Timeout), vec![blind()], (None, None)),
        (Some(NoConnection), vec![slow()], (Some(Yours::Network), None)),
        (Some(NoConnection), vec![refused()], (None, None)),
    ];
    for (saw, ours, (yours, theirs)) in rows {
        let likely = is_it_me(saw, &ours, false);
        assert_eq!((likely.yours, likely.theirs), (yours, theirs), "{saw:?} beside {ours:?}");
    }
}

#[test]
fn planned_work_is_the_cause_of_what_fails_in_it_and_of_nothing_else() {
    let of = |status, ours: &[OurOutcome]| is_it_me(Some(CallerSaw::Status(status)), ours, true);
    assert_eq!(of(503, &[down()]).theirs, Some(Theirs::Planned));
    assert_eq!(of(503, &[good()]).theirs, Some(Theirs::Planned));
    assert_eq!(of(401, &[good()]).whose(), Whose::You);
}

#[test]
fn it_is_said_on_whose_side_the_cause_is_and_when_that_cannot_be_known() {
    let whose = |status, ours: &[OurOutcome]| is_it_me(Some(CallerSaw::Status(status)), ours, false).whose();
    assert_eq!(whose(401, &[good()]), Whose::You);
    assert_eq!(whose(503, &[down()]), Whose::Api);
    assert_eq!(whose(401, &[down()]), Whose::Both);
    assert_eq!(whose(200, &[good()]), Whose::Nobody);
    assert_eq!(whose(503, &[]), Whose::Unknown);
    assert_eq!(whose(401, &[]), Whose::Unknown, "nobody is blamed for what nobody looked at");
    assert_eq!(whose(503, &[blind()]), Whose::Unknown);
}

#[test]
fn what_a_caller_saw_is_a_status_or_one_of_two_words() {
    assert_eq!(CallerSaw::parse("401"), Some(CallerSaw::Status(401)));
    for text in ["timeout", "no-connection", "100", "599"] {
        assert_eq!(CallerSaw::parse(text).unwrap().word(), text);
    }
    for text in ["", "99", "600", "+40", "4O1", "0401", "TIMEOUT", "<b>"] {
        assert_eq!(CallerSaw::parse(text), None, "{text}");
    }
}

#[test]
fn trouble_within_the_minute_speaks_else_the_last_outcome_that_is_not_too_old() {
    let seen = |second: i64, failing: bool| {
        let failure = failing.then_some((Layer::Backend, ServerError));
        let verdict = if failing { Verdict::Fail } else { Verdict::Pass };
        outcome(second, verdict, failure)
    };
    let minutes = Duration::from_secs(300);
    let all = [seen(0, false), seen(100, true), seen(140, false), seen(400, false)];
    let found = |second: i64| speaks_of(at(second), minutes, &all).map(|outcome| outcome.at);
    assert_eq!(found(150), Some(at(100)));
    assert_eq!(found(300), Some(at(140)));
    assert_eq!(found(350), Some(at(400)));
    assert_eq!(found(-61), None);
    assert_eq!(found(701), None);
    assert_eq!(speaks_of(at(0), minutes, &[]), None);
}
