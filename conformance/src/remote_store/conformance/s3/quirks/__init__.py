"""What is known of servers, a file of deviations for each."""
