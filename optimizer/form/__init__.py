"""What is asked and what is answered, as frozen values, and their JSON: nothing wrong can be built."""
