"""What is proven of an activation: claims with a status and a certificate, from limits and from ball arithmetic."""
