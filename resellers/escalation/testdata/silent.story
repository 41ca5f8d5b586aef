# A reseller is enrolled and never says a word.
# Thirty days to attest, then the case, all inside the 30 days of 15 CFR 7.303(d), proposed.

day 0   enrolled

expect day 0            still pending
expect day 0            next warned on day 30
expect day 29 23:59:59  still pending

expect day 30  opens cip.missing
expect day 30  warned
expect day 30  limit day 60
expect day 30  next restricted on day 44
expect day 43 23:59:59  still warned

expect day 44  orders no-new-accounts
expect day 44  restricted
expect day 50 23:59:59  still restricted

expect day 51  orders reseller-account
expect day 51  closing
expect day 58 23:59:59  still closing
expect day 58  limit kept

expect day 59  orders remaining-accounts
expect day 59  terminated
expect day 59  next nothing
expect day 59  limit kept

until day 1000   # and then nothing, ever
