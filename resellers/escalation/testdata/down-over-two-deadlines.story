# The gateway is down from before the restriction until after the closure was due. On its return it takes one step, and
# the next one no sooner than a day later: never both at once. The limit is kept.

day 0    enrolled
day 43   gateway down
day 53   gateway up

expect day 30   opens cip.missing
expect day 30   warned
expect day 52   still warned
expect day 53   orders no-new-accounts
expect day 53   restricted
expect day 53   next closing on day 54
expect day 53   limit kept
expect day 54   orders reseller-account
expect day 54   closing
expect day 54   next terminated on day 59
expect day 59   orders remaining-accounts
expect day 59   terminated
expect day 59   limit kept

until day 200
