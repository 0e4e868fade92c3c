# Incidents by month, and what users should do.
months = By month
months-all = All incidents
month-title = Incidents in { $name }
month-none = No incident began in this month.
month-more = { $count ->
    [one] { $count } more is not shown.
   *[other] { $count } more are not shown.
    }
later = This cannot be read just now
later-more = Older incidents cannot be read at the moment. The status of the APIs is up to date all the same: try this page again in a few minutes.
advice = What to do
advice-down = Requests will fail for now. You need not change or report anything: try again later, and keep what you could not send.
advice-partly = Some requests will fail for now. You need not change or report anything: try those again later.
advice-slow = Allow more time for an answer, and do not ask again too quickly. You need not report it.
advice-unknown = Carry on as usual. If your requests fail, see “Is it me?”.
advice-certificate = Do not switch off the checking of certificates to get through: try again later; you need not report it.
advice-token = Tokens that you have stay good until they expire. New ones cannot be had: try again later; you need not report it.
advice-recovering = Try again now, a little at a time.
