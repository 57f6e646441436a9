"""The municipal registers that documents are issued from: here simulated, with people plainly marked as test data."""
