# The account is ordered closed already when the attestation comes. Both orders are withdrawn, and a year counts from then.

day 0             enrolled
day 58 23:59:59   attests initial      # one second before the termination

expect day 30  opens cip.missing
expect day 30  warned
expect day 44  orders no-new-accounts
expect day 44  restricted
expect day 51  orders reseller-account
expect day 51  closing
expect day 58  next terminated on day 59

expect day 58 23:59:59  cures cip.missing
expect day 58 23:59:59  withdraws no-new-accounts
expect day 58 23:59:59  withdraws reseller-account
expect day 58 23:59:59  good

expect day 60  still good
expect day 60  limit none

until day 420
