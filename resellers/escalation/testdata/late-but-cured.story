# The first attestation comes five days late, while the reseller is only warned: no order was ever given.

day 0   enrolled
day 35  attests initial

expect day 30  opens cip.missing
expect day 30  warned
expect day 34  next restricted on day 44
expect day 35  cures cip.missing
expect day 35  good
expect day 35  limit none
expect day 35  next warned on day 400

until day 399
