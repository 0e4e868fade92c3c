report-title = Adolygiad o’r gwasanaeth
report-range = { $from } hyd at { $to }
report-made = Lluniwyd am { $when }
report-simulated = Cafodd rhan o’r amser hwn ei chreu ar gyfer arddangosiad: nid mesuriadau o unrhyw API yw’r rhain.
report-summary = Argaeledd
report-api = API
report-environment = Amgylchedd
report-measured = Wedi’i fesur
report-supported = Yn yr oriau a gefnogir
report-objective = Amcan
report-reached = wedi’i gyrraedd
report-missed = heb ei gyrraedd
report-left = Cyllideb ar ôl
report-incidents = Digwyddiadau
report-no-incidents = Nid oedd unrhyw ddigwyddiad.
report-incident = Digwyddiad
report-began = Dechreuodd
report-detected = Cadarnhawyd ar ôl
report-acknowledged = Cymerwyd ar ôl
report-over = Yn gweithio eto ar ôl
report-ticket = Tocyn
report-major = mawr
report-median = Yn y canol (canolrif)
report-stages = Mae “cadarnhawyd ar ôl” ac “yn gweithio eto ar ôl” yn cyfrif o’r methiant cyntaf, a “cymerwyd ar ôl” o’r cadarnhad nes bod rhywun yn gofalu amdano.
report-slowest = Gweithrediadau arafaf
report-no-answers = Ni chafwyd ateb i ddim.
report-releases = Fersiynau a ddechreuodd redeg
report-no-releases = Ni welwyd yr un. Mae’r fersiynau fel y mae’r APIs yn eu henwi yn eu hatebion iechyd.
report-version = Fersiwn
report-before = Cynt
report-since = Gwelwyd gyntaf
report-details = Fesul diwrnod
report-each = Pob bar: { $days }
report-bars-label = Yr amser cyfan. { $summary }
report-bars = { $count ->
    [zero] { $count } bar
    [one] { $count } bar
    [two] { $count } far
    [few] { $count } bar
    [many] { $count } bar
   *[other] { $count } bar
    }
report-response-label = Cymerodd hanner yr atebion da { $p50 } ar y mwyaf, 95 o bob 100 { $p95 } ar y mwyaf, a 99 o bob 100 { $p99 } ar y mwyaf. Wedi’i luniadu o sero i { $top }.
