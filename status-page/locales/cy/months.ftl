# Digwyddiadau fesul mis, a’r hyn y dylai defnyddwyr ei wneud.
months = Fesul mis
months-all = Pob digwyddiad
month-title = Digwyddiadau ym mis { $name }
month-none = Ni ddechreuodd unrhyw ddigwyddiad yn y mis hwn.
month-more = { $count ->
    [zero] Ni ddangosir { $count } arall.
    [one] Ni ddangosir { $count } arall.
    [two] Ni ddangosir { $count } arall.
    [few] Ni ddangosir { $count } arall.
    [many] Ni ddangosir { $count } arall.
   *[other] Ni ddangosir { $count } arall.
    }
later = Ni ellir darllen hwn ar hyn o bryd
later-more = Ni ellir darllen digwyddiadau hŷn ar hyn o bryd. Mae statws yr APIs yn gyfredol serch hynny: rhowch gynnig arall ar y dudalen hon ymhen ychydig funudau.
advice = Beth i’w wneud
advice-down = Bydd ceisiadau’n methu am y tro. Nid oes angen i chi newid na rhoi gwybod am ddim: rhowch gynnig arall arni’n nes ymlaen, a chadwch yr hyn na allech ei anfon.
advice-partly = Bydd rhai ceisiadau’n methu am y tro. Nid oes angen i chi newid na rhoi gwybod am ddim: rhowch gynnig arall ar y rheini’n nes ymlaen.
advice-slow = Caniatewch fwy o amser am ateb, a pheidiwch â gofyn eto’n rhy gyflym. Nid oes angen i chi roi gwybod amdano.
advice-unknown = Ewch ymlaen fel arfer. Os yw eich ceisiadau’n methu, gweler “Ai fi sydd ar fai?”.
advice-certificate = Peidiwch â diffodd gwirio tystysgrifau er mwyn mynd drwodd: rhowch gynnig arall arni’n nes ymlaen; nid oes angen i chi roi gwybod amdano.
advice-token = Mae’r tocynnau sydd gennych yn ddilys nes iddynt ddod i ben. Ni ellir cael rhai newydd: rhowch gynnig arall arni’n nes ymlaen; nid oes angen i chi roi gwybod amdano.
advice-recovering = Rhowch gynnig arall arni nawr, ychydig ar y tro.
