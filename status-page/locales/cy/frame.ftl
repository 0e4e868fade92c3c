# Around every page.
description = { $name }: a yw pob API yn gweithio, ym mha amgylchedd, ers pryd, a beth sy’n cael ei wneud yn ei gylch.
skip = Neidio i’r prif gynnwys
nav = Tudalennau
nav-now = Statws nawr
home = Hafan
other-language = English
also-in-other = This page is available in English
look-again = Edrych eto
as-of = Fel yr oedd am
last-checked = Gwiriad diwethaf
for-programs = I raglenni: ein API
internal-view = Golwg fewnol: pob amgylchedd, gyda thocynnau a llinellau amser. Peidiwch â’i phasio ymlaen.
unrecorded = Ni ellir cofnodi dim ers { $when }. Mae’r hyn sydd isod yn hŷn na hynny; ni fyddai trafferthion newydd yn ymddangos yma.
set-aside = Mae’r gronfa ddata yn gwrthod { $count ->
        [zero] { $count } canlyniad
        [one] { $count } canlyniad
        [two] { $count } ganlyniad
        [few] { $count } chanlyniad
        [many] { $count } chanlyniad
       *[other] { $count } canlyniad
    } am byth, ac yn derbyn pob un arall: mae bwlch yn yr hanes. Edrychwch yn y ffeil hon, rhowch wybod am yr hyn y mae’n ei ddweud, a symudwch hi oddi yno.
stale = Nid oes dim wedi’i fesur ers { $when }. Mae’r hyn sydd isod yn hen.
configuration-refused = Newidiwyd ffeiliau’r ffurfweddiad ac ni ellir eu defnyddio: { $count ->
        [zero] { $count } problem
        [one] { $count } broblem
        [two] { $count } broblem
        [few] { $count } problem
        [many] { $count } phroblem
       *[other] { $count } problem
    }, a ganfuwyd { $when }. Mae’r ffurfweddiad blaenorol yn dal mewn grym.
configuration-restart = Newidiwyd yn y ffurfweddiad, ac mewn grym dim ond ar ôl ailgychwyn: { $text }.
configuration-left = Nid ydynt bellach yn fyw, er na chawsant eu hymddeol: { $text }. Rhowch nhw yn ôl, neu nodwch ‘lifecycle: retired’.
not-found = Ni allem ddod o hyd i’r dudalen honno
not-found-more = Nid oes tudalen yn y cyfeiriad hwn y gallwch ei gweld yma. Os gwnaethoch deipio’r cyfeiriad, gwiriwch ef; os gwnaethoch ddilyn dolen, efallai ei bod yn hen.
not-found-way = Ewch i statws pob API
too-many = Gormod o geisiadau ar unwaith
too-many-more = Arhoswch ychydig eiliadau, a rhowch gynnig arall arni.
not-in-copy = Ni ellir dangos y dudalen hon ar hyn o bryd
not-in-copy-more = Ni ellir cyrraedd ein cofnodion, ac nid yw’r dudalen hon yn ein copi diwethaf o’r cyfan. Rhowch gynnig arall arni ymhen ychydig funudau; gellir darllen statws pob API, fel yr oedd ddiwethaf.
access-title = Amgylcheddau nad ydynt yn gyhoeddus
access-link = Gofynnwch am fynediad drwy borth y datblygwyr
status = Statws
api = API

# Amounts of time.
seconds = { $count ->
    [zero] { $count } eiliad
    [one] { $count } eiliad
    [two] { $count } eiliad
    [few] { $count } eiliad
    [many] { $count } eiliad
   *[other] { $count } eiliad
    }
minutes = { $count ->
    [zero] { $count } munud
    [one] { $count } munud
    [two] { $count } funud
    [few] { $count } munud
    [many] { $count } munud
   *[other] { $count } munud
    }
hours = { $count ->
    [zero] { $count } awr
    [one] { $count } awr
    [two] { $count } awr
    [few] { $count } awr
    [many] { $count } awr
   *[other] { $count } awr
    }
days = { $count ->
    [zero] { $count } diwrnod
    [one] { $count } diwrnod
    [two] { $count } ddiwrnod
    [few] { $count } diwrnod
    [many] { $count } diwrnod
   *[other] { $count } diwrnod
    }
