# Found eighteen days late: the cure time is compressed so that everything still fits inside the limit.

day 0    enrolled
day 10   gateway down
day 48   gateway up

expect day 48   opens cip.missing
expect day 48   warned
expect day 48   limit day 60
expect day 48   next restricted on day 55
expect day 55   orders no-new-accounts
expect day 55   restricted
expect day 57   orders reseller-account
expect day 57   closing
expect day 57   limit kept
expect day 59   orders remaining-accounts
expect day 59   terminated

until day 200
