"""Speed and memory of the analyzer compared with tshark, ssldump and tcpdump, on captures made here."""
