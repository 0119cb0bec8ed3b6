"""Speed and memory of the analyzer beside tshark, ssldump and tcpdump, on captures made here."""
