//! The rules of Curiad, pure: no I/O, no clock, no async (invariant 1). Time is an argument.
//!
//! One word, one meaning, in code, configuration, SQL, pages and talk:
//!
//! | word | means | never say |
//! |---|---|---|
//! | [`Api`] | one published API: names, kind, lifecycle, service level, provider team, what it depends on | service, app, component |
//! | [`Environment`] | one of the five, in this order: sandbox, development, sit, uat, production | stage, tier |
//! | Instance ([`InstanceId`]) | an Api in an Environment: a base URL, credentials, vantages; a row of the status page | deployment, target |
//! | [`Operation`] | one thing that exercising the Api does: a request and what counts as good; written once per Api | endpoint, monitor |
//! | [`Check`] | an Operation on an Instance, on a schedule | job, task |
//! | [`Vantage`] | a place probes are sent from (internet, NHS Wales network…) | region, location |
//! | Probe | one execution of a Check from one Vantage (verb and act) | ping, poll |
//! | [`Outcome`] | what a Probe saw, when, and its own Layer: facts only, never rewritten | result, response |
//! | [`Layer`] | where one probe failed: dns, connect, tls, token, gateway, backend, contract, ours | error |
//! | Diagnosis ([`Incident::diagnosis`]) | what several checks together say about where the fault is | – |
//! | [`Verdict`] | an Outcome judged: Pass, Slow, Fail, Inconclusive | success |
//! | [`Status`] | operational, degraded, partial_outage, major_outage, maintenance, unknown | state, health (as a bool) |
//! | [`Health`] | a Check's ([`Track`]) or Instance's Status, since when, with its streak | state |
//! | [`Incident`] | the span of trouble of one cause: open → acknowledged → recovering → resolved; priority P1–P5; *major* or not | alert, alarm |
//! | [`Ticket`] | an Incident's record in the service desk's own system | issue |
//! | [`Callout`] | one call on one person to act, by text, voice, e-mail… | alert, page (that is a web page) |
//! | [`Rota`] / [`Shift`] / [`Override`] ([`RotaOverride`]) | who is on call when; one stretch of it; a swap | roster, schedule |
//! | [`Escalation`] | the ordered steps of Callouts until a human answers | policy chain |
//! | [`Post`] | what the public page says about an Incident or Maintenance | message |
//! | [`Heartbeat`] | an Operation whose request is that a scheduled job calls us; its Check is heard, not probed | ping, push |
//! | Maintenance ([`Window`]) | planned work or a test window: published, excluded from availability by name | downtime |
//! | [`Silence`] | an operator's mute, with owner, reason and end | suppression |
//! | [`Notification`] / Attempt / Outbox | one message to one channel; one try to send it; the table of those not settled | job |
//! | Inbox ([`Told`]) | the table of what people and outside systems told us, not yet folded in | queue |
//! | [`Event`] | anything the rules react to: an Outcome, a timer due, a command, a receipt, a change of configuration | – |
//! | Snapshot | the immutable view that pages are made from, with its time | cache |

mod address;
mod ahead;
mod alert;
mod answered;
mod api;
mod attended;
mod availability;
mod background;
mod bank_holidays;
mod beat;
mod behind;
mod blind;
mod burn;
mod calling;
mod cause;
mod certificate;
mod check;
mod children;
mod clock;
mod clock_set;
mod configuration;
mod contact_proof;
mod contract;
mod credential;
mod cron;
mod daily_test;
mod day;
mod decide;
mod desk;
mod desk_asked;
mod diagnosis;
mod due;
mod duty;
mod egress;
mod environment;
mod error_class;
mod escalation;
mod event;
mod evidence;
mod expect;
mod flapping;
mod fold;
mod gateway;
mod gathered;
mod glance;
mod health;
mod heartbeat;
mod histogram;
mod holding;
mod holds;
mod hours;
mod id;
mod incident;
mod is_it_me;
mod journey;
mod language;
mod last_resort;
mod layers;
mod link;
mod local;
mod maintenance;
mod muting;
mod nhs_number;
mod notification;
mod operation;
mod other_way;
mod outcome;
mod overrun;
mod pause;
mod per_track;
mod percentiles;
mod phase_sums;
mod phrases;
mod plan;
mod priority;
mod protocol;
mod provider;
mod reached;
mod receipts;
mod release;
mod remark;
mod reply;
mod retention;
mod rollup;
mod rota;
mod rota_gap;
mod rota_override;
mod ruling;
mod schedule;
mod scrub;
mod secret;
mod service_clock;
mod shared;
mod shift_reminder;
mod showing;
mod shown;
mod situation;
mod stand_down;
mod storm;
mod subscription;
mod tally;
mod telling;
mod test_call;
mod ticket;
mod ticket_over;
mod token;
mod told;
mod track;
mod transcript;
mod unrecorded;
mod vantage;
mod verdict;
mod watch;
mod weight;
mod whom;

pub use address::{PrivateAddresses, undialled};
pub use ahead::Ahead;
pub use alert::{Alert, AlertName, Alerting, HeardAlert};
pub use api::{Api, DeskNotes, Kind, Lifecycle, ServiceLevel};
pub use attended::is_attended;
pub use availability::{Agreed, AvailabilityPolicy, Budget, Degraded, Objective, PlannedWork};
pub use bank_holidays::{BankHoliday, BankHolidays};
pub use beat::{Listening, Pulse, TOLD_WITHIN};
pub use behind::LATE;
pub use burn::LONGEST_BURN;
pub use calling::next_of;
pub use certificate::ShownCertificate;
pub use check::{Check, CheckId, InstanceId, Question, TrackId};
pub use clock::Clock;
pub use clock_set::CLOCK_IS_SET;
pub use configuration::{Accessibility, Configuration, Desk, Person, SecretEnd, Site, Team, WayIn};
pub use contact_proof::{ContactProof, NamedAs, Reached};
pub use contract::{Contract, Promised};
pub use credential::{
    Access, Algorithm, Basic, ClientCertificate, Credential, OAuth2, Proof, SecretBy, SigningKey,
};
pub use cron::Cron;
pub use daily_test::{DailyTest, Hops};
pub use day::{Day, MAX_DAYS};
pub use decide::{decide, decide_from, decide_late};
pub use desk_asked::{Asked, DeskAsked};
pub use egress::{Egress, Proxy};
pub use environment::{
    Confirm, Declare, Environment, EnvironmentPolicy, Flapping, Hold, MajorPolicy, Publish, Storm, Visibility,
};
pub use error_class::ErrorClass;
pub use escalation::{Answer, Callout, Escalation, Running, Step, Target, Way};
pub use event::{Command, Event, Message, Silence, Told};
pub use evidence::{Evidence, RequestId};
pub use expect::{Expect, Matches, Statuses};
pub use flapping::{Epoch, Flaps};
pub use gateway::Gateway;
pub use gathered::{Gathering, Often};
pub use glance::Glance;
pub use health::{Health, Status, StatusChange, instance_status};
pub use heartbeat::{Beat, Heartbeat, Rhythm};
pub use histogram::Histogram;
pub use hours::{Hours, Opening, WeeklyWindow};
pub use id::{
    ApiId, DeskId, EscalationId, HoursId, IdError, MAX_LENGTH, OperationId, PersonId, RotaId, TeamId,
    VantageId,
};
pub use incident::{
    Acknowledgement, Cause, Entry, Incident, IncidentId, IncidentStatus, MAX_EVIDENCE, Major, Post, PostSays,
};
pub use is_it_me::{CallerSaw, Likely, OurOutcome, Theirs, Whose, Yours, is_it_me, speaks_of};
pub use journey::{Capture, Journey, Piece, Source, Step as JourneyStep, StepSeen, pieces};
pub use language::{Language, Text, duration_words};
pub use last_resort::PassedOn;
pub use layers::{LayerSays, layers};
pub use maintenance::{Maintenance, Window};
pub use muting::{Mute, may_silence, mute, would_mute};
pub use nhs_number::{NhsNumber, may_be_a_patients, may_be_patients};
pub use notification::{Channel, Notification, NotificationKind, Receipt, Sent};
pub use operation::{Connection, Dialect, HttpRequest, Method, Operation, Redirects, Request};
pub use outcome::{
    Certificate, Deprecation, Expectation, Failure, FailureKind, HealthWords, Http, Layer, Outcome, Phases,
    Says,
};
pub use pause::{Pause, pause, unseen_at_most};
pub use per_track::PerTrack;
pub use percentiles::Percentiles;
pub use phase_sums::{PhaseSum, PhaseSums};
pub use phrases::{Advice, Because, Effect, Phrases};
pub use plan::{NextAction, next_action, next_call_at, told_from};
pub use priority::{Matrix, Priority, Rating};
pub use protocol::{DnsRequest, MllpRequest, RecordType, Security, TcpRequest};
pub use provider::TeamWay;
pub use release::Release;
pub use reply::Reply;
pub use retention::{Keep, Retention};
pub use rollup::{Adding, Answers, Rollup, Summary};
pub use rota::{HandOver, Override, Rota, RotaLayer, Shift};
pub use rota_override::RotaOverride;
pub use ruling::{Rank, Ruling};
pub use schedule::next_due;
pub use scrub::scrubbed;
pub use secret::Secret;
pub use service_clock::{Awaited, Nudged, ServiceClock, ServiceTarget, service_clocks};
pub use shift_reminder::DutyBegins;
pub use situation::{Change, Decision, ReferenceKey, Remembered, Situation, Wanted};
pub use subscription::{Kinds, MailAddress, News, Pace, SubscriptionId, Wish};
pub use tally::{Measured, Tally};
pub use telling::ticket_named;
pub use test_call::TestCall;
pub use ticket::{
    EarlierTicket, MOST_REOPENED, MOST_TICKETS, Note, ParentTicket, Remarked, SeenTicket, Ticket,
    TicketState, With,
};
pub use token::TokenEndpoint;
pub use track::{Latest, Round, Track};
pub use transcript::{ChainCertificate, Transcript};
pub use unrecorded::Unrecorded;
pub use vantage::{Guard, Guards, Sight, Vantage};
pub use verdict::{Verdict, judge};
pub use watch::Watch;
pub use weight::{Cell, Lasting, Priorities, Weighed, weighed};
pub use whom::first_call;
