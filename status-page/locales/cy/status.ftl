status-operational = Yn gweithio
status-degraded = Yn araf neu’n annibynadwy
status-partial-outage = Ddim yn gweithio’n llawn
status-major-outage = Ddim yn gweithio
status-maintenance = Gwaith wedi’i gynllunio
status-unknown = Anhysbys

verdict-pass = Da
verdict-slow = Araf
verdict-fail = Wedi methu
verdict-inconclusive = Methu dweud
verdict-none = Heb ei fesur

environment-production = Byw
environment-uat = UAT
environment-sit = SIT
environment-development = Datblygu
environment-sandbox = Blwch tywod
in-production = yn yr amgylchedd byw
in-uat = yn yr amgylchedd UAT
in-sit = yn yr amgylchedd SIT
in-development = yn yr amgylchedd datblygu
in-sandbox = yn y blwch tywod
about-production = Yr amgylchedd byw, a ddefnyddir gan wasanaethau go iawn.
about-uat = Profion derbyn gan ddefnyddwyr: lle dangosir cymwysiadau i’w defnyddwyr cyn iddynt fynd yn fyw.
about-sit = Profi integreiddio systemau: cynhelir profion llwyth a diogelwch yma, yn aml gyda’r nos.
about-development = Lle mae timau’r darparwyr yn datblygu.
about-sandbox = Ar agor i bawb; mae’n ymddwyn fel yr amgylchedd byw, heb gysylltiad â data go iawn.

layer-dns = Ni ellir dod o hyd i’r cyfeiriad
layer-connect = Ni ellir cysylltu
layer-tls = Ni ellir cysylltu’n ddiogel
layer-token = Ni all cymwysiadau fewngofnodi
layer-gateway = Mae porth yr API yn ateb â gwall
layer-backend = Mae’r gwasanaeth y tu ôl i borth yr API yn methu
layer-contract = Nid yw’r ateb yr hyn a gytunwyd
layer-ours = Ni allai ein system fonitro ein hunain ddweud

# Ar ôl amser toriad sydd ar ben, a cholon.
failed-dns = ni ellid dod o hyd i’r cyfeiriad
failed-connect = ni ellid cysylltu
failed-tls = ni ellid cysylltu’n ddiogel
failed-token = ni allai cymwysiadau fewngofnodi
failed-gateway = roedd porth yr API yn ateb â gwall
failed-backend = roedd y gwasanaeth y tu ôl i borth yr API yn methu
failed-contract = nid oedd yr ateb yr hyn a gytunwyd
failed-ours = ni allai ein system fonitro ein hunain ddweud
failed-job = ni chlywyd gan dasg gyfnodol, neu methodd

# The sentence of truth.
sentence-nothing-yet = Nid oes dim wedi’i fesur eto
sentence-nothing-yet-more = Dechreuodd y mesur am { $since }. Daw’r canlyniadau cyntaf o fewn munud: edrychwch eto bryd hynny.
sentence-no-apis-more = Ni ddangosir unrhyw API yma. Gosodir yn y ffurfweddiad pa amgylcheddau y caiff y cyhoedd eu gweld.
sentence-unrecorded = Ni allwn ddweud sut mae’r APIs: dim wedi’i gofnodi ers { $since }
sentence-unrecorded-more = Mae’n bosibl iawn bod yr APIs yn gweithio: ein cofnodion ein hunain na ellir eu hysgrifennu.
sentence-stale = Ni allwn weld yr APIs: dim wedi’i fesur ers { $since }
sentence-stale-more = Mae’n bosibl iawn bod yr APIs yn gweithio: ein system fonitro ein hunain sy’n dawel.
sentence-all-everywhere = { $count ->
    [zero] Mae pob API yn gweithio ({ $count })
    [one] Mae’r { $count } API yn gweithio ym mhob amgylchedd
    [two] Mae’r { $count } API yn gweithio
    [few] Mae pob un o’r { $count } API yn gweithio
    [many] Mae pob un o’r { $count } API yn gweithio
   *[other] Mae pob un o’r { $count } API yn gweithio
    }
sentence-all-one = Mae { $name } yn gweithio { $place }
sentence-all = { $count ->
    [zero] Mae pob API yn gweithio { $place } ({ $count })
    [one] Mae’r { $count } API yn gweithio { $place }
    [two] Mae’r { $count } API yn gweithio { $place }
    [few] Mae pob un o’r { $count } API yn gweithio { $place }
    [many] Mae pob un o’r { $count } API yn gweithio { $place }
   *[other] Mae pob un o’r { $count } API yn gweithio { $place }
    }
sentence-and-trouble = { $count ->
    [zero] mae trafferth gydag { $count } arall
    [one] mae trafferth gydag { $count } arall
    [two] mae trafferth gyda { $count } arall
    [few] mae trafferth gyda { $count } arall
    [many] mae trafferth gyda { $count } arall
   *[other] mae trafferth gyda { $count } arall
    }
sentence-and-unknown = ni wyddom am { $count } arall
sentence-one-degraded = Mae { $name } yn araf neu’n annibynadwy { $place }, ers { $since }
sentence-many-degraded = Mae { $count } o’r { $all } API yn araf neu’n annibynadwy { $place }, ers { $since }
sentence-every-degraded = Mae pob un o’r { $all } API yn araf neu’n annibynadwy { $place }, ers { $since }
sentence-one-partial-outage = Nid yw { $name } yn gweithio’n llawn { $place }, ers { $since }
sentence-many-partial-outage = Nid yw { $count } o’r { $all } API yn gweithio’n llawn { $place }, ers { $since }
sentence-every-partial-outage = Nid yw’r un o’r { $all } API yn gweithio’n llawn { $place }, ers { $since }
sentence-one-major-outage = Nid yw { $name } yn gweithio { $place }, ers { $since }
sentence-many-major-outage = Nid yw { $count } o’r { $all } API yn gweithio { $place }, ers { $since }
sentence-every-major-outage = Nid yw’r un o’r { $all } API yn gweithio { $place }, ers { $since }
sentence-one-maintenance = Gwaith wedi’i gynllunio ar { $name } { $place }
sentence-many-maintenance = Gwaith wedi’i gynllunio ar { $count } o’r { $all } API { $place }
sentence-every-maintenance = Gwaith wedi’i gynllunio ar bob un o’r { $all } API { $place }
sentence-one-unknown = Ni wyddom a yw { $name } yn gweithio { $place }
sentence-many-unknown = Ni wyddom a yw { $count } o’r { $all } API yn gweithio { $place }
sentence-every-unknown = Ni wyddom a yw’r un o’r { $all } API yn gweithio { $place }
