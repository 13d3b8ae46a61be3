drop policy seen_with_version on chain_secret;
