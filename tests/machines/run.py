"""What we offer to programs, read by programs that we did not write: feeds by RELAX NG and feedparser, calendars by icalendar, the
description by openapi-spec-validator and schemathesis, /api/v2 by a reader of Statuspages, metrics by promtool. Against the real `curiad demo`.

Run by tests/run; by hand: python3 -m venv target/machines && target/machines/bin/pip install -r tests/machines/requirements.txt
&& CURIAD_BIN=target/debug/curiad target/machines/bin/python tests/machines/run.py
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request
from pathlib import Path

import feedparser
import icalendar
from lxml import etree
from openapi_spec_validator import validate

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PATIENCE = 60
ENVIRONMENTS = {"en": ("environments", "production"), "cy": ("amgylcheddau", "byw")}
# Planned work, so that there is some; half a day off, or it would be what keeps the demo's incident from being one.
WORK = f"""    maintenance:
      - {{ cron: "0 {(time.gmtime().tm_hour + 12) % 24} * * *", for: 1h, why: {{ en: "Patches, and more; \\\\o/", cy: "Clytiau; a mwy" }} }}
"""


def free_address():
    """One that stays free until it is used: below the ports that the kernel gives to whoever asks for any."""
    while True:
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", random.randrange(12_000, 30_000)))
            except OSError:
                continue
            return f"127.0.0.1:{listener.getsockname()[1]}"


class Demo:
    """The program, once it shows an incident and planned work."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="curiad-machines-")
        public, internal = free_address(), free_address()
        self.url, self.internal = f"http://{public}", f"http://{internal}"
        program = os.environ.get("CURIAD_BIN", ROOT / "target/debug/curiad")
        flags = ["--listen", public, "--listen-internal", internal, "--listen-world", "127.0.0.1:0", "--any-ports"]
        data = Path(self.directory.name)
        self.log = open(data / "log", "w+b")
        self.child = subprocess.Popen(
            [program, "demo", *flags, "--data", data, "--history", "2d"], stdout=self.log, stderr=self.log
        )
        self.until(lambda: self.json("/api/v1/incidents"), "an incident")
        file = data / "config/curiad.yaml"
        text = file.read_text()
        production = "  production:\n    visibility: public\n"
        assert production in text, "the demo's configuration has another form now"
        file.write_text(text.replace(production, production + WORK))
        self.until(lambda: "BEGIN:VEVENT" in self.text("/feeds/en/maintenance.ics"), "planned work")

    def until(self, good, what):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert self.child.poll() is None, "the demo ended: " + self.said()
            try:
                if good():
                    return
            except (urllib.error.URLError, ConnectionError):
                pass
            time.sleep(0.1)
        raise AssertionError(f"{what} does not show: " + self.said())

    def said(self):
        self.log.seek(0)
        return self.log.read()[-5000:].decode(errors="replace")

    def text(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return answer.read().decode()

    def json(self, path):
        return json.loads(self.text(path))

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        code = self.child.wait(timeout=30)
        self.log.close()
        self.directory.cleanup()
        assert code == 0, f"the demo ended with {code}"


def folders():
    for language, (word, production) in ENVIRONMENTS.items():
        yield f"/feeds/{language}"
        yield f"/feeds/{language}/{word}/{production}"
        yield f"/feeds/{language}/apis/results"


def schema(name):
    return etree.RelaxNG.from_rnc_string((HERE / f"{name}.rnc").read_text())


def test_feeds_are_what_their_standards_say(demo):
    schemas = {"atom": schema("atom"), "rss": schema("rss")}
    for folder in folders():
        for name, rules in schemas.items():
            path = f"{folder}/incidents.{name}"
            feed = etree.fromstring(demo.text(path).encode())
            assert rules.validate(feed), f"{path}: {rules.error_log}"
    assert not schemas["atom"].validate(etree.fromstring('<feed xmlns="http://www.w3.org/2005/Atom"/>')), "it says no, too"


def test_feeds_are_read_by_feedparser(demo):
    entries = 0
    for folder in folders():
        for file, version in (("incidents.atom", "atom10"), ("incidents.rss", "rss20")):
            path = f"{folder}/{file}"
            feed = feedparser.parse(demo.url + path)
            assert not feed.bozo, f"{path}: {feed.bozo_exception}"
            assert feed.version == version, f"{path} is {feed.version}"
            assert feed.feed.title and feed.feed.link.startswith(demo.url), path
            assert feed.feed.language == folder.split("/")[2] if version == "rss20" else True
            ids = [entry.id for entry in feed.entries]
            assert len(ids) == len(set(ids)), f"{path}: {ids}"
            for entry in feed.entries:
                assert entry.title and entry.link.startswith(demo.url), path
                assert entry.get("updated_parsed") or entry.get("published_parsed"), path
                assert entry.get("content") or entry.get("summary"), path
            entries += len(ids)
            again = feedparser.parse(demo.url + path, etag=feed.etag)
            assert again.status in (200, 304), path
    assert entries > 0


def test_calendars_are_read_by_icalendar(demo):
    for folder in folders():
        path = f"{folder}/maintenance.ics"
        text = demo.text(path)
        calendar = icalendar.Calendar.from_ical(text)
        assert calendar.to_ical().decode() and not calendar.errors, f"{path}: {calendar.errors}"
        assert calendar["METHOD"] == "PUBLISH" and calendar["VERSION"] == "2.0"
        events = calendar.walk("VEVENT")
        assert len(events) == 5, f"{path} has {len(events)}"
        assert len({event["UID"] for event in events}) == len(events)
        for event in events:
            assert not event.errors, f"{path}: {event.errors}"
            assert (event.decoded("DTEND") - event.decoded("DTSTART")).total_seconds() == 3600
            assert event.decoded("DTSTAMP").tzinfo and int(event["SEQUENCE"]) > 0
            why = "Patches, and more; \\o/" if "/en" in folder else "Clytiau; a mwy"
            assert event["SUMMARY"].endswith(why), event["SUMMARY"]


def test_rotas_are_read_by_icalendar(demo):
    program = os.environ.get("CURIAD_BIN", ROOT / "target/debug/curiad")
    config = Path(demo.directory.name) / "config"

    def events(*arguments):
        done = subprocess.run([program, "--config", config, "rota", "ics", *arguments], capture_output=True, check=True)
        assert all(len(line) <= 75 for line in done.stdout.split(b"\r\n")) and b"\n" not in done.stdout.replace(b"\r\n", b"")
        assert b"@" not in done.stdout and b"+44" not in done.stdout, "no address of anybody"
        calendar = icalendar.Calendar.from_ical(done.stdout.decode())
        assert not calendar.errors and calendar["METHOD"] == "PUBLISH", calendar.errors
        found = calendar.walk("VEVENT")
        assert all(not event.errors for event in found)
        return {str(event["UID"]): event for event in found}

    rota = events("platform", "--weeks", "8")
    assert len(rota) in (8, 9), len(rota)
    weeks = [event.decoded("DTEND") - event.decoded("DTSTART") for event in rota.values()]
    assert all(week.total_seconds() in (167 * 3600, 168 * 3600, 169 * 3600) for week in weeks), weeks
    own = events("nia.rees", "--weeks", "8", "--language", "cy")
    assert own and set(own) < set(rota), "a shift is the same by its rota and by its person"
    assert all(event["SUMMARY"] == "Ar alw: Nia Rees (platform)" for event in own.values())


def test_the_description_is_openapi(demo):
    validate(demo.json("/api/v1/openapi.json"))


def schemathesis(demo, examples):
    """Runs it with the ids of APIs that are there, so that what it makes up reaches them."""
    description = demo.json("/api/v1/openapi.json")
    ids = [api["id"] for api in demo.json("/api/v1/apis")]
    for operation in description["paths"].values():
        for parameter in operation["get"].get("parameters", []):
            if parameter["name"] == "api":
                parameter["schema"] = {"enum": [*ids, "no-such-api"]}
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "openapi.json"
        file.write_text(json.dumps(description))
        command = [Path(sys.executable).with_name("st"), "--config-file", HERE / "schemathesis.toml", "run", file]
        options = ["--url", demo.url, "--checks", "all", "-n", str(examples), "--no-color", "--generation-deterministic"]
        done = subprocess.run([*command, *options], cwd=directory, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return done.stdout


def test_schemathesis_finds_no_fault(demo):
    said = schemathesis(demo, 40)
    all_of_them = len(demo.json("/api/v1/openapi.json")["paths"])
    assert f"{all_of_them}/{all_of_them}" in said, said[-3000:]


def test_a_reader_of_statuspages_reads_us(demo):
    demo.until(lambda: demo.json("/api/v2/incidents/unresolved.json")["incidents"], "an open incident")
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        services = Path(directory) / "services.json"
        url = demo.url + "/api/v2/summary.json"
        services.write_text(json.dumps({"curiad": {"name": "Curiad", "type": "status_page", "url": url}}))
        os.environ["SERVICES_JSON_PATH"] = str(services)
        from statuspage_prometheus_exporter import service_checker

        seen = service_checker.check_status_page_service("curiad", service_checker.SERVICES["curiad"])
        os.chdir(ROOT)
    assert seen["success"], seen
    assert seen["status"] == 0 and seen["raw_status"] in ("minor", "major", "critical"), seen
    incident = seen["incident_metadata"][0]
    assert incident["shortlink"].startswith(demo.url) and incident["affected_components"], incident
    assert seen["maintenance_metadata"][0]["scheduled_end"] > seen["maintenance_metadata"][0]["scheduled_start"]
    names = {component["name"]: component["status_value"] for component in seen["component_metadata"]}
    assert 1 in names.values() and 0 in names.values(), names
    for file in ("status", "components", "incidents", "scheduled-maintenances", "scheduled-maintenances/active",
                 "scheduled-maintenances/upcoming"):
        assert demo.json(f"/api/v2/{file}.json")["page"]["id"], file


def test_metrics_are_as_promtool_wants_them(demo):
    with urllib.request.urlopen(demo.internal + "/metrics", timeout=10) as answer:
        metrics = answer.read()
    assert metrics.count(b"\nprobe_success{") > 10, metrics[:2000]
    done = subprocess.run(["promtool", "check", "metrics"], input=metrics, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), done


def main():
    passed = failed = 0
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    demo = None
    try:
        demo = Demo()
        for name, test in tests:
            try:
                test(demo)
                passed += 1
                print(f"ok - {name}", flush=True)
            except Exception:
                failed += 1
                print(f"not ok - {name}\n{traceback.format_exc()}", flush=True)
    except Exception:
        failed += 1
        print(f"not ok - the demo\n{traceback.format_exc()}", flush=True)
    finally:
        if demo:
            demo.stop()
    print(f"# pass {passed}\n# fail {failed}")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
