status-operational = Working
status-degraded = Slow or unreliable
status-partial-outage = Partly not working
status-major-outage = Not working
status-maintenance = Planned work
status-unknown = Not known

verdict-pass = Good
verdict-slow = Slow
verdict-fail = Failed
verdict-inconclusive = Cannot tell
verdict-none = Not measured

environment-production = Production
environment-uat = UAT
environment-sit = SIT
environment-development = Development
environment-sandbox = Sandbox
in-production = in production
in-uat = in UAT
in-sit = in SIT
in-development = in development
in-sandbox = in the sandbox
about-production = The live environment, which real services use.
about-uat = User acceptance testing: where applications are shown to their users before they go live.
about-sit = System integration testing: load and security tests run here, often at night.
about-development = Where the provider teams build.
about-sandbox = Open to anyone; behaves like production, with no link to real data.

layer-dns = The address cannot be found
layer-connect = No connection can be made
layer-tls = No secure connection can be made
layer-token = Applications cannot sign in
layer-gateway = The API gateway answers with an error
layer-backend = The service behind the gateway fails
layer-contract = The answer is not what was agreed
layer-ours = Our own monitoring could not tell

# After the time of an outage that is over, and a colon.
failed-dns = the address could not be found
failed-connect = no connection could be made
failed-tls = no secure connection could be made
failed-token = applications could not sign in
failed-gateway = the API gateway answered with an error
failed-backend = the service behind the gateway failed
failed-contract = the answer was not what was agreed
failed-ours = our own monitoring could not tell
failed-job = a scheduled job was not heard from, or failed

# The sentence of truth.
sentence-nothing-yet = Nothing has been measured yet
sentence-nothing-yet-more = Measuring began at { $since }. The first results arrive within a minute: look again then.
sentence-no-apis-more = No API is shown here. Which environments the public may see is set in the configuration.
sentence-unrecorded = We cannot say how the APIs are: nothing recorded since { $since }
sentence-unrecorded-more = The APIs may well be working: it is our own records that cannot be written.
sentence-stale = We cannot see the APIs: nothing measured since { $since }
sentence-stale-more = The APIs may well be working: it is our own monitoring that is silent.
sentence-all-everywhere = { $count ->
    [one] { $count } API, working in every environment
   *[other] All { $count } APIs are working
    }
sentence-all-one = { $name } is working { $place }
sentence-all = { $count ->
    [one] { $count } API is working { $place }
   *[other] All { $count } APIs are working { $place }
    }
sentence-and-trouble = { $count ->
    [one] { $count } more has trouble
   *[other] { $count } more have trouble
    }
sentence-and-unknown = of { $count } more we do not know
sentence-one-degraded = { $name } is slow or unreliable { $place }, since { $since }
sentence-many-degraded = { $count } of { $all } APIs are slow or unreliable { $place }, since { $since }
sentence-every-degraded = All { $all } APIs are slow or unreliable { $place }, since { $since }
sentence-one-partial-outage = { $name } is partly not working { $place }, since { $since }
sentence-many-partial-outage = { $count } of { $all } APIs are partly not working { $place }, since { $since }
sentence-every-partial-outage = All { $all } APIs are partly not working { $place }, since { $since }
sentence-one-major-outage = { $name } is not working { $place }, since { $since }
sentence-many-major-outage = { $count } of { $all } APIs are not working { $place }, since { $since }
sentence-every-major-outage = None of the { $all } APIs is working { $place }, since { $since }
sentence-one-maintenance = Planned work on { $name } { $place }
sentence-many-maintenance = Planned work on { $count } of { $all } APIs { $place }
sentence-every-maintenance = Planned work on all { $all } APIs { $place }
sentence-one-unknown = We do not know whether { $name } is working { $place }
sentence-many-unknown = We do not know whether { $count } of { $all } APIs are working { $place }
sentence-every-unknown = We do not know whether any of the { $all } APIs is working { $place }
