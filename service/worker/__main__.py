from service.worker.app import main

main()
