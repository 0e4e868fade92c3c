wrong-now = Beth sydd o’i le nawr
since = Ers
for-duration = { $text } hyd yma
lasted = Parodd { $text }
major = digwyddiad mawr
all-apis = Pob API
matrix-caption = Pob API fesul amgylchedd, y gwaethaf yn gyntaf, gyda’r 24 awr ddiwethaf fesul awr
not-here = Ddim yn yr amgylchedd hwn
underneath = oddi tano: { $text }
find = Dod o hyd i API
find-go = Chwilio
find-all = Dangos pob un
found = Dangosir { $count } o { $all }
legend-strip = Mae un bar yn awr, neu’n ddiwrnod; ei liw yw’r gwaethaf o’r amser hwnnw. Mae llinell o dan far yn nodi toriad; llinell ar ei ben, araf neu annibynadwy. Llinellau lletraws: heb ei fesur.
strip-label = Y 24 awr ddiwethaf. { $summary }
bars-label = Y 90 diwrnod diwethaf. { $summary }

maintenance = Gwaith wedi’i gynllunio
maintenance-lead = Gwaith wedi’i gynllunio a chyfnodau profi. Nid yw’r amser hwn yn cyfrif yn erbyn argaeledd; dangosir yr hyn a fesurir serch hynny.
maintenance-lead-counted = Gwaith wedi’i gynllunio a chyfnodau profi. Mae’r hyn a fesurir ynddynt yn cyfrif tuag at argaeledd, fel ar unrhyw adeg arall.
no-maintenance = Nid oes gwaith wedi’i gynllunio.
on-now = Ar y gweill nawr
planned-from = O
planned-to = tan

# One API.
about-api = Am yr API hwn
fact-level = Lefel gwasanaeth
fact-lifecycle = Cylch oes
fact-deprecated = Anghymeradwyir o
fact-sunset = Disgwylir na fydd yn ateb mwyach o
fact-kind = Math
fact-team = Tîm y darparwr
fact-hours = Oriau a gefnogir
fact-objective = Amcan
promised = { $share } mewn { $days }, yn yr amgylchedd byw
level-critical = Hanfodol
level-standard = Safonol
lifecycle-alpha = Alffa: yn cael ei dreialu
lifecycle-beta = Beta: gall newid o hyd
lifecycle-stable = Sefydlog
lifecycle-legacy = Etifeddol: wedi’i gadw, heb ei ddatblygu
lifecycle-deprecated = Anghymeradwy: caiff ei dynnu’n ôl
lifecycle-retired = Wedi’i ymddeol
kind-rest = REST
kind-fhir = FHIR R4
kind-soap = SOAP
kind-hl7 = HL7 fersiwn 2
kind-graphql = GraphQL
depends-on = Yn dibynnu ar
documentation = Dogfennaeth
availability = Argaeledd
available-day = Ar gael, 24 awr
available-quarter = Ar gael, 90 diwrnod
measured-share = wedi’i fesur { $share } o’r amser
supported-share = yn yr oriau a gefnogir { $available }, wedi’i fesur { $measured }
supported-not-measured = heb ei fesur yn yr oriau a gefnogir
counted-by = Cyfrifir yn ôl
objective-number = Amcan, { $days }
objective-reached = wedi’i gyrraedd: { $available }, wedi’i fesur { $measured }
objective-missed = heb ei gyrraedd: { $available }, wedi’i fesur { $measured }
objective-budget = { $left } ar ôl o’r { $whole } y caniateir eu colli
not-measured = Heb ei fesur
response-time = Amser ymateb
response-time-more = 95 o bob 100 ateb o fewn { $p95 }
response-times = Amseroedd ymateb “{ $name }”
response-label = Dros 90 diwrnod cymerodd hanner yr atebion da { $p50 } ar y mwyaf, 95 o bob 100 { $p95 } ar y mwyaf, a 99 o bob 100 { $p99 } ar y mwyaf. Wedi’i ddarlunio fesul diwrnod, o sero i { $top }.
response-key = Hyd at { $top }. Llinell: hanner yr atebion o fewn. Llinell denau: 95 o bob 100. Dotiau: 99 o bob 100.
response-table = Yr amseroedd ymateb fel tabl
response-range = Cyfnod
response-half = Hanner o fewn
response-95 = 95 o bob 100 o fewn
response-99 = 99 o bob 100 o fewn
response-longest = Hwyaf
response-count = Atebion da
response-week = Saith diwrnod o { $day }
today = Heddiw
all-day = Drwy’r dydd
days-table = Y 90 diwrnod fel tabl
day = Diwrnod
worst = Gwaethaf
down = Ddim yn gweithio
no-history-yet = Nid oes hanes i’w ddangos eto.
version = Fersiwn
version-since = ers
operations = Beth sy’n cael ei wirio, fesul un
operation = Gweithrediad
last-result = Canlyniad diwethaf
when = Pryd
critical = hanfodol
from-vantage = o { $name }
too-old = mae’r canlyniad diwethaf yn rhy hen i gyfrif
green-title = Beth mae “Yn gweithio” yn ei olygu yma
green-critical = “{ $name }”, hanfodol: gofynnir bob { $every }; da o fewn { $slow }: { $expects }.
green-other = “{ $name }”: gofynnir bob { $every }; da o fewn { $slow }: { $expects }.
green-health = mae adroddiad yr API ei hun yn dweud ei fod yn iach
green-fhir = nid oes unrhyw OperationOutcome FHIR yn adrodd gwall
green-capabilities = mae’n datgan ei fod yn siarad FHIR R4
green-soap = mae’r ateb yn amlen SOAP heb nam
green-graphql = mae data yn yr ateb ac nid oes gwallau GraphQL
green-tcp = mae’n derbyn y cysylltiad
green-tcp-answer = mae’n derbyn y cysylltiad ac yn ateb fel y cytunwyd
green-dns = mae cofnod o’r fath gan yr enw
green-dns-answers = mae gan yr enw yr union gofnodion y cytunwyd arnynt
green-mllp = mae’n derbyn neges brawf HL7
green-journey = { $count ->
    [zero] ni wneir unrhyw gais
    [one] caiff ei un cais ei ateb fel y cytunwyd
    [two] caiff ei ddau gais, un ar ôl y llall, eu hateb fel y cytunwyd
    [few] caiff ei { $count } chais, un ar ôl y llall, eu hateb fel y cytunwyd
    [many] caiff ei { $count } chais, un ar ôl y llall, eu hateb fel y cytunwyd
   *[other] caiff ei { $count } cais, un ar ôl y llall, eu hateb fel y cytunwyd
}
green-job-critical = “{ $name }”, hanfodol: tasg gyfnodol sy’n dweud wrthym ei hun pan ddaw i ben: { $when }, { $grace } yn hwyr ar y mwyaf.
green-job = “{ $name }”: tasg gyfnodol sy’n dweud wrthym ei hun pan ddaw i ben: { $when }, { $grace } yn hwyr ar y mwyaf.
job-every = bob { $every }
job-at = ar yr amserau { $cron } (cron)
job-heard = clywyd ddiwethaf
job-silent = Ni chlywyd gan dasg gyfnodol mewn pryd
job-failed = Mae tasg gyfnodol yn dweud iddi fethu
job-fails = Ni chlywyd gan dasg gyfnodol, neu methodd
green-status-any = mae’r ateb yn llwyddiant (200 i 299)
green-status = statws yr ateb yw { $codes }
green-contents = { $count ->
    [zero] mae { $count } peth yn yr ateb fel y cytunwyd
    [one] mae { $count } peth yn yr ateb fel y cytunwyd
    [two] mae { $count } beth yn yr ateb fel y cytunwyd
    [few] mae { $count } pheth yn yr ateb fel y cytunwyd
    [many] mae { $count } pheth yn yr ateb fel y cytunwyd
   *[other] mae { $count } peth yn yr ateb fel y cytunwyd
    }
green-certificate = mae’r dystysgrif yn ddilys am o leiaf { $days }
green-not = Nid oes dim arall yn cael ei wirio: nid gweithrediadau eraill, nid data eraill, ac nid ysgrifennir dim byth am berson.

# Incidents.
incidents = Digwyddiadau
incidents-over = Digwyddiadau sydd ar ben
no-incidents = Ni fu digwyddiad yn yr amser a gedwir yma.
incident-open = Rydym yn gwybod amdano
incident-acknowledged = Mae rhywun yn gweithio arno
incident-recovering = Yn gweithio eto, yn cael ei wylio
incident-resolved = Wedi’i ddatrys
incident-major-outage = Nid yw { $name } yn gweithio { $place }
incident-partial-outage = Nid yw { $name } yn gweithio’n llawn { $place }
incident-degraded = Mae { $name } yn araf neu’n annibynadwy { $place }
incident-unknown = Ni wyddom a yw { $name } yn gweithio { $place }
was-major-outage = Nid oedd { $name } yn gweithio { $place }
was-partial-outage = Nid oedd { $name } yn gweithio’n llawn { $place }
was-degraded = Roedd { $name } yn araf neu’n annibynadwy { $place }
was-unknown = Ni wyddem a oedd { $name } yn gweithio { $place }
incident-token = Ni ellir cael tocynnau mynediad { $place }: ni ellir defnyddio’r APIs sydd eu hangen
incident-refused = Mae’r porth yn gwrthod ein gwiriadau { $place }: ni allwn ddweud beth sy’n gweithio
incident-blind = Ni allwn weld yr APIs { $place }
incident-rota = Nid oes neb ar alwad ar y rota { $rota }
incident-storm = Mae llawer o APIs yn methu gyda’i gilydd { $place }
incident-behind = Mae profion Curiad ei hun o { $vantage } yn dechrau'n hwyr
post-investigating-major-outage = Nid yw’n gweithio. Rydym wedi dweud wrth y bobl sy’n gofalu amdano, a byddwn yn dweud mwy yma pan fydd rhywbeth yn newid.
post-investigating-partial-outage = Nid yw rhan ohono’n gweithio. Rydym wedi dweud wrth y bobl sy’n gofalu amdano, a byddwn yn dweud mwy yma pan fydd rhywbeth yn newid.
post-investigating-degraded = Mae’n araf neu’n annibynadwy. Rydym wedi dweud wrth y bobl sy’n gofalu amdano, a byddwn yn dweud mwy yma pan fydd rhywbeth yn newid.
post-investigating-unknown = Ni allwn ddweud a yw’n gweithio. Rydym yn ymchwilio i’r mater, a byddwn yn dweud mwy yma pan fydd rhywbeth yn newid.
post-acknowledged = Mae rhywun yn gweithio arno.
post-recovered = Mae’n gweithio eto. Rydym yn ei wylio cyn dweud ei fod ar ben.
post-returned-major-outage = Mae wedi rhoi’r gorau i weithio eto.
post-returned-partial-outage = Mae rhan ohono wedi rhoi’r gorau i weithio eto.
post-returned-degraded = Mae’n araf neu’n annibynadwy eto.
post-returned-unknown = Unwaith eto ni allwn ddweud a yw’n gweithio.
post-resolved = Wedi’i ddatrys: mae wedi bod yn gweithio ers hynny.
began = Dechreuodd
ended = Daeth i ben
duration = Parodd
so-far = Hyd yma
where = Ble mae’r broblem
affects = Beth mae’n effeithio arno
held-back = Yn methu o’i herwydd
what-we-said = Yr hyn a ddywedwyd gennym, y diweddaraf yn gyntaf
for-desk = I’r ddesg gwasanaeth
priority = Rhif a blaenoriaeth
why-major = Pam ei fod yn fawr
cause = Achos
ticket = Tocyn
ticket-unconfirmed = heb ei gadarnhau
ticket-none = dim
callouts = Galwadau allan
has-it = Pwy sy’n delio ag ef
next-callout = Galwad nesaf
stopped = Dim rhagor o alwadau oherwydd
evidence = Tystiolaeth
timeline = Llinell amser
